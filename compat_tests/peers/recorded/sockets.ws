header Origin: http://localhost
connect /chatsocket
send {"body": "hello"}
expect
send {"body": "again"}
expect
close 1000
expect close
