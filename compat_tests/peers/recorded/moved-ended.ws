header Sec-WebSocket-Extensions: permessage-deflate
connect /socket?compress=1
expect
send hello
expect text hello
close 4000 away
expect close
