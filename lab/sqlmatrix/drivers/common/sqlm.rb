# The loop of a driver program in Ruby: reads a job, lets a player do its operations, and says what was sent for each label.
module Sqlm
  SETTINGS = %w[ENGINE TRANSPORT HOST PORT SOCKET USER PASSWORD DATABASE].to_h { |name| [name, ENV.fetch("SQLM_#{name}")] }.freeze
  LETTERS = { "t" => "\t", "n" => "\n" }.freeze

  def self.[](name)
    SETTINGS.fetch(name)
  end

  def self.value(arg)
    kind, text = arg[0], arg[2..]
    case kind
    when "i" then Integer(text)
    when "f" then Float(text)
    when "b" then text == "true"
    when "n" then nil
    when "T" then text.split(",")
    when "I" then text.split(",").map { |part| Integer(part) }
    when "x" then [text].pack("H*")
    else text
    end
  end

  def self.values(args)
    args.map { |arg| value(arg) }
  end

  def self.sets(args)
    args.slice_when { |a, _| a == ";" }.map { |set| values(set - [";"]) }
  end

  # The comment that names a statement, without its marks.
  def self.comment(sql)
    sql[%r{/\* (.*?) \*/}, 1]
  end

  # Plays the job. An operation is the player's method do_NAME, which gives the number of statements sent, if it is a number other than one.
  def self.play(player)
    $stdout.sync = true
    puts "ready"
    lines = $stdin.read.force_encoding(Encoding::UTF_8).split("\n").map { |line| line.split("\t", -1).map { |f| f.gsub(/\\(.)/) { LETTERS.fetch($1, $1) } } }
    player.open
    label, operations = nil, []
    lines.each do |name, *fields|
      case name
      when "label" then label, operations = fields[0], []
      when "end" then say(player, label, operations)
      else operations << [name, *fields]
      end
    end
    player.close
  end

  def self.say(player, label, operations)
    missing = operations.find { |name, *| !player.respond_to?("do_#{name}") }
    if missing
      puts "na\t#{label}\t#{player.missing.fetch(missing[0], "no API for #{missing[0]}")}"
      return
    end
    puts "sent\t#{label}\t#{run(player, operations.dup)}"
  rescue StandardError => e
    raise e.class, "#{label}: #{e.message}"
  end

  # Does operations up to one that is to end them; that one is left out of the queue as well.
  def self.run(player, queue, ends = [])
    sent = 0
    until queue.empty?
      name, *fields = queue.shift
      return [sent, name] if ends.include?(name)
      n = player.queued(queue) { player.public_send("do_#{name}", *fields) }
      sent += n.is_a?(Integer) ? n : 1
    end
    sent
  end

  # What all players have in common.
  class Player
    attr_reader :queue

    # Gives an operation what comes behind it: where a transaction is a block, it plays that inside.
    def queued(queue)
      @queue = queue
      yield
    end

    def missing
      {}
    end

    # Wants an error of the server.
    def fails(*errors)
      yield
    rescue *errors
      1
    else
      raise "no error"
    end
  end
end
