header Origin: http://evil.example
connect /socket
expect
