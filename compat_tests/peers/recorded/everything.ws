connect /socket
expect
send hello
expect
send-binary 00 ff
expect
ping are you there
expect
send close
expect close
