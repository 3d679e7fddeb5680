header Sec-WebSocket-Protocol: v1, v2
connect /socket
expect text open from 127.0.0.1
send hello
expect text hello
send-binary 00 ff
expect
ping are you there
expect
send close
expect close
