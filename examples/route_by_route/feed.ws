connect /feed
send count
expect
send from the feed
expect
send count
expect
close 1000
expect close
