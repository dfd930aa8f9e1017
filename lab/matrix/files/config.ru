require "openssl" # puma reads the client's certificate with it, and does not load it

run(lambda do |env|
  env["rack.input"].read
  [200, { "Content-Type" => "text/plain" }, ["here\n"]]
end)
