# Sequel: its datasets write the values into the text; prepared ones bind them. Where an operation has a dataset of the same meaning, that is run, and
# else its text with Sequel's placeholders.
require "sequel"
require_relative "../common/sqlm"

require "pg" if Sqlm["ENGINE"] == "postgres"
require "mysql2" if Sqlm["ENGINE"] == "mysql"

# Datasets by label and number of the statement.
DATASETS = {
  "bind-text:0" => ->(db, a) { db[:invoices].where(tenant_id: a[0]) { amount > a[1] }.select { count.function.* } },
  "bind-text:1" => ->(db, a) { db[:invoices].where { amount > a[0] }.where(tenant_id: a[1]).select { count.function.* } },
  "bind-int:0" => ->(db, a) { db[:meters].where(tenant_id: a[0]).select { count.function.* } },
  "bind-int:1" => ->(db, a) { db[:meters].where(tenant_id: a[0]) { id > a[1] }.select(:reading) },
  "bind-uuid:0" => ->(db, a) { db[:papers].where(tenant_id: a[0]).select(:title) },
  "bind-uuid:1" => ->(db, a) { db[:papers].where(tenant_id: a[0]).select(:title) },
  "in-list:0" => ->(db, a) { db[:invoices].where(tenant_id: a).select { count.function.* } },
  "join:0" => ->(db, a) { db[:invoices].join(:items, invoice_id: :id, tenant_id: :tenant_id).where(Sequel[:invoices][:tenant_id] => a[0]).select(:what) },
  "left-join:0" => lambda { |db, a|
    db[:invoices].left_join(Sequel[:items].as(:l), { invoice_id: Sequel[:invoices][:id], tenant_id: a[0] }).where(Sequel[:invoices][:tenant_id] => a[1]).select(:number, :what)
  },
  "cte:0" => ->(db, a) { db[:mine].with(:mine, db[:invoices].where(tenant_id: a[0]).select(:id, :amount)).where { id > a[1] }.select { sum(amount) } },
  "sub-select:0" => ->(db, a) { db[:items].where(tenant_id: a[0], invoice_id: db[:invoices].where(tenant_id: a[1]).select(:id)).select(:what) },
  "sub-select:1" => ->(db, a) { db[:invoices].where(tenant_id: a[0]).select { count.function.*.as(:n) }.from_self(alias: :counted) },
  "union:0" => ->(db, a) { db[:invoices].where(tenant_id: a[0]).select(:number).union(db[:items].where(tenant_id: a[1]).select(:what), all: true, from_self: false) },
  "key-lookup:0" => ->(db, a) { db[:invoices].where(id: a[0]).select(:id, :tenant_id, :number) },
  "key-lookup:1" => ->(db, a) { db[:invoices].where(id: a[0]).select(Sequel[:tenant_id].as(:owner), :number) },
  "select-star:0" => ->(db, a) { db[:invoices].where(id: a[0]) },
  "select-star:1" => ->(db, _) { db[:items].where(id: 2) },
  "mixed-rows:0" => ->(db, _) { db[:invoices].where(id: [1, 21]).select(:id, :tenant_id) },
}.freeze

# Writes, of which a dataset gives the text.
WRITES = {
  "insert-rows:0" => ->(db, a) { db[:invoices].multi_insert_sql(%i[id tenant_id number amount], [[a[0], a[1], "M-1", 1], [a[2], a[3], "M-2", 2]])[0] },
  "update:0" => ->(db, a) { db[:invoices].where(tenant_id: a[1], id: a[2]).update_sql(amount: Sequel[:amount] + a[0]) },
  "delete:0" => ->(db, a) { db[:invoices].where(tenant_id: a[0], number: a[1]).delete_sql },
}.freeze

class Player < Sqlm::Player
  def missing
    { "pipe" => "Sequel has no pipeline", "binary" => "Sequel binds no binary values" }
  end

  def open
    way = Sqlm["TRANSPORT"] == "unix" ? { host: Sqlm["SOCKET"] } : { host: Sqlm["HOST"] }
    @db = if Sqlm["ENGINE"] == "mysql"
            way = { socket: Sqlm["SOCKET"] } if Sqlm["TRANSPORT"] == "unix"
            way = way.merge(sslmode: :required) if Sqlm["TRANSPORT"] == "tls"
            Sequel.connect(adapter: :mysql2, port: Sqlm["PORT"].to_i, user: Sqlm["USER"], password: Sqlm["PASSWORD"], database: Sqlm["DATABASE"], encoding: "utf8mb4",
                           max_connections: 1, flags: Mysql2::Client::MULTI_STATEMENTS, **way)
          else
            Sequel.connect(adapter: :postgres, port: Sqlm["PORT"], user: Sqlm["USER"], password: Sqlm["PASSWORD"], database: Sqlm["DATABASE"], max_connections: 1,
                           sslmode: Sqlm["TRANSPORT"] == "tls" ? "require" : "disable", driver_options: { gssencmode: "disable" }, **way)
          end
    @db.extension(:pg_array, :pg_json) if Sqlm["ENGINE"] == "postgres"
    @prepared = {}
  end

  # Puts the comment of an operation into a text of Sequel's.
  def marked(sql, comment)
    sql.sub(/ |\z/, " /* #{comment} */ ")
  end

  def values(args)
    Sqlm.values(args).map { |v| v.is_a?(Array) ? Sequel.pg_array(v, v.first.is_a?(Integer) ? :int8 : :text) : v }
  end

  def do_query(sql, *args)
    comment = Sqlm.comment(sql)
    key = comment.sub(/\Am:\d+:/, "")
    if DATASETS[key]
      @db[marked(DATASETS[key].call(@db, values(args)).sql, comment)].all
    elsif WRITES[key]
      @db.run(marked(WRITES[key].call(@db, values(args)), comment))
    elsif sql =~ /\A(SELECT|WITH)|RETURNING/
      @db[sql, *values(args)].all
    else
      @db.run(@db[sql, *values(args)].sql)
    end
  end

  def do_prepare(name, sql)
    places = Array.new(sql.count("?")) { |i| :"$v#{i}" }
    @prepared[name] = @db[sql, *places].prepare(:select, name.to_sym)
    0
  end

  def do_execute(name, *args)
    @prepared.fetch(name).call(values(args).each_with_index.to_h { |v, i| [:"v#{i}", v] })
  end

  def do_many(sql, *args)
    sets = Sqlm.sets(args)
    texts = if sql.start_with?("INSERT")
              @db[:invoices].multi_insert_sql(%i[id tenant_id number amount], sets).map { |text| marked(text, Sqlm.comment(sql)) }
            else
              sets.map { |set| @db[sql, *set].sql }
            end
    texts.each { |text| @db.run(text) }
    texts.size
  end

  # A transaction is a block: what is in it is played inside.
  def do_begin
    sent = 0
    rest = queue
    @db.transaction do
      sent, ended = Sqlm.run(self, rest, %w[commit rollback])
      raise Sequel::Rollback if ended == "rollback"
    end
    sent
  end

  %w[commit rollback].each { |word| define_method("do_#{word}") { raise "no transaction" } }

  def do_fail(sql, *args)
    fails(Sequel::DatabaseError) { do_query(sql, *args) }
  end

  if Sqlm["ENGINE"] == "postgres"
    def do_copyin(sql, data)
      @db.synchronize { |c| c.copy_data(sql) { c.put_copy_data(data) } }
    end

    def do_copyout(sql)
      @db.copy_table(sql) { |row| row }
    end

    def do_cursor(rows, sql, *args)
      @db[sql, *values(args)].use_cursor(rows_per_fetch: rows.to_i).each { |row| row }
      1
    end

    def do_notify(_channel, listen, notify)
      @db.run(listen)
      @db.run(notify)
      raise "no notification" unless @db.synchronize { |c| c.wait_for_notify(10) }
      2
    end
  else
    def do_cursor(_rows, sql, *args)
      @db[sql, *values(args)].stream.each { |row| row }
      1
    end
  end

  def do_script(sql)
    @db.synchronize do |c|
      c.query(sql)
      c.store_result while Sqlm["ENGINE"] == "mysql" && c.next_result
    end
    sql.scan("/*").size
  end

  def close
    @db.disconnect
  end
end

Sqlm.play(Player.new)
