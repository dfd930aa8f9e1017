# mysql2 of Ruby, over MariaDB's Connector/C: texts without values, statements prepared on the server with them.
require "mysql2"
require "tmpdir"
require_relative "../common/sqlm"

class Player < Sqlm::Player
  def missing
    { "many" => "mysql2 has no batch", "pipe" => "mysql2 has no pipeline" }
  end

  def open
    way = Sqlm["TRANSPORT"] == "unix" ? { socket: Sqlm["SOCKET"] } : { host: Sqlm["HOST"], port: Sqlm["PORT"].to_i }
    way = way.merge(ssl_mode: :required) if Sqlm["TRANSPORT"] == "tls"
    @client = Mysql2::Client.new(**way, username: Sqlm["USER"], password: Sqlm["PASSWORD"], database: Sqlm["DATABASE"], encoding: "utf8mb4", local_infile: true,
                                 connect_flags: Mysql2::Client::MULTI_STATEMENTS)
    @prepared = {}
  end

  def do_query(sql, *args)
    return @client.query(sql) if args.empty?

    statement = @client.prepare(sql)
    begin
      statement.execute(*Sqlm.values(args))
    ensure
      statement.close
    end
  end
  alias do_binary do_query

  def do_prepare(name, sql)
    @prepared[name] = @client.prepare(sql)
    0
  end

  def do_execute(name, *args)
    @prepared.fetch(name).execute(*Sqlm.values(args))
  end

  %w[begin commit rollback].each do |word|
    define_method("do_#{word}") do
      @client.query(word.upcase)
      0
    end
  end

  def do_fail(sql, *args)
    fails(Mysql2::Error) { do_query(sql, *args) }
  end

  def do_loadin(sql, data)
    Dir.mktmpdir do |dir|
      Dir.chdir(dir) do
        File.write("data", data)
        @client.query(sql)
      end
    end
  end

  # Rows are read as they are asked for; mysql2 cannot do that for prepared statements.
  def do_cursor(_rows, sql, *args)
    values = Sqlm.values(args)
    @client.query(sql.gsub("?") { "'#{@client.escape(values.shift)}'" }, stream: true, cache_rows: false).each { |row| row }
    1
  end

  def do_script(sql)
    @client.query(sql)
    @client.store_result while @client.next_result
    sql.scan("/*").size
  end

  def close
    @client.close
  end
end

Sqlm.play(Player.new)
