# pg of Ruby: libpq's functions; the types of values are found by a map, integers then go in binary format.
require "pg"
require_relative "../common/sqlm"

class Player < Sqlm::Player
  TEXT = { "uuid" => 2950, "text" => 25 }.freeze
  INT8 = 20

  def missing
    { "many" => "pg has no batch", "cursor" => "pg has no API for cursors" }
  end

  def open
    @connection = PG.connect(host: Sqlm["TRANSPORT"] == "unix" ? Sqlm["SOCKET"] : Sqlm["HOST"], port: Sqlm["PORT"], user: Sqlm["USER"], password: Sqlm["PASSWORD"],
                             dbname: Sqlm["DATABASE"], sslmode: Sqlm["TRANSPORT"] == "tls" ? "require" : "disable", gssencmode: "disable")
    @map = PG::TypeMapByClass.new
    @map[Integer] = PG::BinaryEncoder::Int8.new(oid: INT8)
    @map[TrueClass] = @map[FalseClass] = PG::TextEncoder::Boolean.new
    @map[Array] = ->(array) { PG::TextEncoder::Array.new(elements_type: array.first.is_a?(Integer) ? PG::TextEncoder::Integer.new : PG::TextEncoder::String.new) }
    @map.default_type_map = PG::TypeMapAllStrings.new
    @queued = []
  end

  def do_query(sql, *args)
    args.empty? ? @connection.exec(sql) : @connection.exec_params(sql, Sqlm.values(args), 0, @map)
  end

  def do_binary(sql, *args)
    parameters = args.map do |arg|
      value = Sqlm.value(arg)
      case arg[0]
      when "i" then { value: [value].pack("q>"), type: INT8, format: 1 }
      when "u" then { value: [value.delete("-")].pack("H*"), type: TEXT["uuid"], format: 1 }
      else { value: value, type: TEXT["text"], format: 1 }
      end
    end
    @connection.exec_params(sql, parameters, 1)
  end

  def do_prepare(name, sql)
    @connection.prepare(name, sql)
    0
  end

  def do_execute(name, *args)
    @connection.exec_prepared(name, Sqlm.values(args), 0, @map)
  end

  %w[begin commit rollback].each do |word|
    define_method("do_#{word}") do # PG::Connection#transaction sends these
      @connection.exec(word.upcase)
      0
    end
  end

  def do_fail(sql, *args)
    fails(PG::ServerError) { do_query(sql, *args) }
  end

  def do_copyin(sql, data)
    @connection.copy_data(sql) { data.each_line { |line| @connection.put_copy_data(line) } }
  end

  def do_copyout(sql)
    @connection.copy_data(sql) { while @connection.get_copy_data do end }
  end

  def do_pipe(sql, *args)
    @queued << [sql, Sqlm.values(args)]
  end

  def do_sync
    @connection.enter_pipeline_mode
    @queued.each { |sql, values| @connection.send_query_params(sql, values, 0, @map) }
    @connection.pipeline_sync
    @queued.each do
      @connection.get_result.check
      @connection.get_result # nil ends the statement
    end
    raise "no end of the pipeline" unless @connection.get_result.result_status == PG::PGRES_PIPELINE_SYNC
    @connection.exit_pipeline_mode
    @queued = []
    0
  end

  def do_script(sql)
    @connection.exec(sql)
    sql.scan("/*").size
  end

  def do_notify(_channel, listen, notify)
    @connection.exec(listen)
    @connection.exec(notify)
    raise "no notification" unless @connection.wait_for_notify(10)
    2
  end

  def close
    @connection.close
  end
end

Sqlm.play(Player.new)
