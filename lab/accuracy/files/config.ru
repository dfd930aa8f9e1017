require File.join(Dir.pwd, "service")

run(SERVICE)
