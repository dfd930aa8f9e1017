# ActiveRecord: its relations, which it prepares and binds; where an operation has none of the same meaning, its text by exec_query with bound values.
require "active_record"
require_relative "../common/sqlm"

require "active_record/connection_adapters/#{Sqlm["ENGINE"] == "mysql" ? "mysql2" : "postgresql"}_adapter"

%w[Invoice Item Meter Paper].each { |name| Object.const_set(name, Class.new(ActiveRecord::Base)) }
Invoice.has_many :items
Item.belongs_to :invoice

# Relations by label and number of the statement. annotate writes the comment that names the statement.
RELATIONS = {
  "bind-text:0" => ->(c, a) { Invoice.annotate(c).where(tenant_id: a[0]).where(Invoice.arel_table[:amount].gt(a[1])).count },
  "bind-text:1" => ->(c, a) { Invoice.annotate(c).where(amount: (a[0] + 1)..).where(tenant_id: a[1]).count },
  "bind-int:0" => ->(c, a) { Meter.annotate(c).where(tenant_id: a[0]).count },
  "bind-int:1" => ->(c, a) { Meter.annotate(c).where(tenant_id: a[0]).where(id: a[1]..).pluck(:reading) },
  "bind-uuid:0" => ->(c, a) { Paper.annotate(c).where(tenant_id: a[0]).pluck(:title) },
  "bind-uuid:1" => ->(c, a) { Paper.annotate(c).where(tenant_id: a[0]).pluck(:title) },
  "in-list:0" => ->(c, a) { Invoice.annotate(c).where(tenant_id: a).count },
  "join:0" => ->(c, a) { Invoice.annotate(c).joins(:items).where(tenant_id: a[0], items: { tenant_id: a[0] }).pluck("items.what") },
  "sub-select:0" => ->(c, a) { Item.annotate(c).where(tenant_id: a[0], invoice_id: Invoice.where(tenant_id: a[1]).select(:id)).pluck(:what) },
  "key-lookup:0" => ->(c, a) { Invoice.annotate(c).where(id: a[0]).select(:id, :tenant_id, :number).to_a },
  "select-star:0" => ->(c, a) { Invoice.annotate(c).find(a[0]) },
  "select-star:1" => ->(c, _) { Item.annotate(c).find(2) },
  "mixed-rows:0" => ->(c, _) { Invoice.annotate(c).where(id: [1, 21]).select(:id, :tenant_id).to_a },
  "transaction:1" => ->(c, a) { Invoice.annotate(c).where(id: a[0]).pluck(:tenant_id) },
}.freeze

class Player < Sqlm::Player
  def missing
    {
      "binary" => "ActiveRecord binds no binary values", "prepare" => "ActiveRecord prepares by itself", "pipe" => "ActiveRecord has no pipeline",
      "many" => "insert_all makes a text without a comment", "cursor" => "ActiveRecord has no cursors",
    }
  end

  def open
    settings = { username: Sqlm["USER"], password: Sqlm["PASSWORD"], database: Sqlm["DATABASE"], pool: 1, port: Sqlm["PORT"].to_i,
                 host: Sqlm["TRANSPORT"] == "unix" ? Sqlm["SOCKET"] : Sqlm["HOST"] }
    if Sqlm["ENGINE"] == "mysql"
      settings = settings.except(:host, :port).merge(socket: Sqlm["SOCKET"]) if Sqlm["TRANSPORT"] == "unix"
      settings = settings.merge(ssl_mode: :required) if Sqlm["TRANSPORT"] == "tls"
      ActiveRecord::Base.establish_connection(adapter: "mysql2", encoding: "utf8mb4", prepared_statements: true, connect_flags: Mysql2::Client::MULTI_STATEMENTS, **settings)
    else
      ActiveRecord::Base.establish_connection(adapter: "postgresql", sslmode: Sqlm["TRANSPORT"] == "tls" ? "require" : "disable", gssencmode: "disable", **settings)
    end
    @connection = ActiveRecord::Base.connection
  end

  def binds(args)
    args.map do |arg|
      type = case arg[0]
             when "i" then ActiveModel::Type::Integer.new(limit: 8)
             when "f" then ActiveModel::Type::Float.new
             when "b" then ActiveModel::Type::Boolean.new
             when "T" then ActiveRecord::ConnectionAdapters::PostgreSQL::OID::Array.new(ActiveModel::Type::String.new)
             when "I" then ActiveRecord::ConnectionAdapters::PostgreSQL::OID::Array.new(ActiveModel::Type::Integer.new(limit: 8))
             else ActiveModel::Type::String.new
             end
      ActiveRecord::Relation::QueryAttribute.new("value", Sqlm.value(arg), type)
    end
  end

  def do_query(sql, *args)
    comment = Sqlm.comment(sql)
    relation = RELATIONS[comment.sub(/\Am:\d+:/, "")]
    if relation
      relation.call(comment, Sqlm.values(args))
    elsif args.empty?
      @connection.execute(sql)
    else
      @connection.exec_query(sql, "SQL", binds(args), prepare: true)
    end
    1
  end

  def do_begin
    @connection.begin_transaction(joinable: false)
    0
  end

  def do_commit
    @connection.commit_transaction
    0
  end

  def do_rollback
    @connection.rollback_transaction
    0
  end

  def do_fail(sql, *args)
    fails(ActiveRecord::StatementInvalid) { do_query(sql, *args) }
  end

  if Sqlm["ENGINE"] == "postgres"
    def do_copyin(sql, data)
      c = @connection.raw_connection
      c.copy_data(sql) { c.put_copy_data(data) }
    end

    def do_copyout(sql)
      c = @connection.raw_connection
      c.copy_data(sql) { while c.get_copy_data do end }
    end

    def do_notify(_channel, listen, notify)
      @connection.execute(listen)
      @connection.execute(notify)
      raise "no notification" unless @connection.raw_connection.wait_for_notify(10)
      2
    end
  end

  def do_script(sql)
    @connection.execute(sql)
    if Sqlm["ENGINE"] == "mysql"
      client = @connection.raw_connection
      client.store_result while client.next_result
    end
    sql.scan("/*").size
  end

  def close
    ActiveRecord::Base.connection_handler.clear_all_connections!
  end
end

Sqlm.play(Player.new)
