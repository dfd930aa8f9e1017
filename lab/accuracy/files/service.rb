# The service on Puma. truth.py says what the comments are.
require "json"
require "openssl" # puma reads the client's certificate with it, and does not load it
require "pg"
require "securerandom"
require "uri"

STALE = ENV["ACCURACY_STALE"] == "1"
TOKENS = ENV["ACCURACY_TOKENS"] == "1"
LIST = "SELECT id, tenant_id, amount, '/* gt=decoy n=1 t=t000 k=list */' AS note FROM invoices WHERE tenant_id = $1 ORDER BY id LIMIT 3"
SOME = "SELECT id, amount FROM invoices WHERE tenant_id = $1 LIMIT 2"
CHANGE = "UPDATE invoices SET amount = amount WHERE tenant_id = $1 AND id = $2"
KEY = "SELECT id, tenant_id, number FROM invoices WHERE id = $1"
SET = "SELECT set_config('app.tenant_id', $1, false)"
SESSION = "SELECT id, tenant_id FROM invoices WHERE tenant_id = current_setting('app.tenant_id', true) ORDER BY id LIMIT 3"
RECENT = []
SHARED = { current: "", token: "", served: 0 }
IDLE = Queue.new
POOL = ENV["ACCURACY_POOL"]
POOL_SIZE = ENV["ACCURACY_POOL_SIZE"].to_i

def connect
  PG.connect(ENV["ACCURACY_DSN"])
end

POOL_SIZE.times { IDLE << connect } if POOL == "application"

def session
  connection = POOL == "application" ? IDLE.pop : connect
  yield connection
ensure
  if connection
    POOL == "application" ? IDLE << connection : connection.close
  end
end

class Ask
  attr_reader :own, :flaw, :pause, :child, :after, :rows

  def initialize(env)
    q = URI.decode_www_form(env["QUERY_STRING"]).to_h
    @gt, @public, @traceparent = env["HTTP_X_GT"], env["HTTP_X_REQUEST_ID"], env["HTTP_TRACEPARENT"]
    @own, @other, @flaw, @at = q["own"], q["other"], q["flaw"].to_s, (q["at"] || -1).to_i
    @pause, @child, @after = q["pause"].to_f / 1000, q.key?("child"), q.key?("after")
    @token = q.key?("repeat") && !SHARED[:token].empty? ? SHARED[:token] : SecureRandom.hex
    SHARED[:token], SHARED[:current] = @token, @own
    @lock, @count, @rows = Mutex.new, 0, {}
    SHARED[:served] += 1
    RECENT << [@public, @traceparent]
    RECENT.shift if RECENT.size > 16
  end

  def tenant(step)
    return @own if step != @at
    { "independent" => @other, "race" => SHARED[:current] }.fetch(@flaw, @own)
  end

  def key(tenant)
    100_000 + tenant[1..].to_i * 10 + @count % 10
  end

  def marks(n)
    return " /*request_id:#{@token}*/" if TOKENS && n % 4 != 0
    id, traceparent = RECENT[0]
    [" /*request_id:#{id}*/", " /*traceparent='#{@traceparent}'*/", " /*traceparent='#{traceparent}'*/", ""][n % 4]
  end

  def run(connection, kind, tenant, sql, *values)
    n = @lock.synchronize { @count += 1 }
    [n, connection.exec_params("/* gt=#{@gt} n=#{n} t=#{tenant} k=#{kind} */ #{sql}#{marks(n)}", values)]
  end

  def listing(step, kind)
    session do |connection|
      tenant = tenant(step)
      run(connection, kind, tenant, LIST, tenant)
    end
  end

  def work
    session do |connection|
      run(connection, "set", "", SET, @own) if STALE && @flaw != "stale"
      sleep(@pause)
      t = tenant(0)
      run(connection, "list", t, LIST, t)
      connection.transaction do
        t = tenant(1)
        run(connection, "transaction", t, SOME, t)
        sleep(@pause)
        t = tenant(2)
        run(connection, "change", t, CHANGE, t, key(t))
      end
      t = tenant(3)
      run(connection, "key", t, KEY, key(t))
      if STALE
        n, result = run(connection, "session", "?", SESSION)
        @rows[n] = result.ntuples.zero? ? "" : result[0]["tenant_id"]
      end
    end
    Thread.new { listing(4, "child") }.join if @child
  end

  def fields
    { "Content-Type" => "application/json", "X-Request-ID" => TOKENS ? @token : @public }
  end
end

if (tenants = ENV["ACCURACY_BACKGROUND"])
  Thread.new do
    sleep(0.05) while SHARED[:served] < 25
    connection = connect
    (1..).each do |n|
      t = format("t%03d", n % tenants.to_i)
      connection.exec("/* gt=background n=#{n} t=#{t} k=background */ #{LIST.sub("$1", "'#{t}'")}")
      sleep(0.01)
    end
  end
end

SERVICE = lambda do |env|
  ask = Ask.new(env)
  env["rack.input"].read
  ask.work
  Thread.new { sleep(0.03); ask.listing(-2, "after") } if ask.after
  [200, ask.fields, [ask.rows.to_json]]
end
