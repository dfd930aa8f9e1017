// pgjdbc: the extended protocol, or with the argument "simple" values written into the text. It has no unix sockets.

import java.io.StringReader;
import java.io.StringWriter;
import java.nio.charset.StandardCharsets;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.sql.Statement;
import java.sql.Types;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import org.postgresql.PGConnection;
import org.postgresql.PGStatement;

public class Driver {
  static final Map<String, String> MISSING = Map.of("pipe", "JDBC has no pipeline but batches", "loadin", "not for PostgreSQL");
  static final int ALWAYS_BINARY = -1; // a threshold of pgjdbc: prepared on the server, binary from the first execution on

  final Connection connection;
  final Map<String, PreparedStatement> prepared = new HashMap<>();

  Driver(String mode) throws SQLException {
    String ssl = setting("TRANSPORT").equals("tls") ? "require" : "disable";
    connection = DriverManager.getConnection("jdbc:postgresql://" + setting("HOST") + ":" + setting("PORT") + "/" + setting("DATABASE")
        + "?sslmode=" + ssl + "&preferQueryMode=" + mode, setting("USER"), setting("PASSWORD"));
  }

  static String setting(String name) {
    return System.getenv("SQLM_" + name);
  }

  public static void main(String[] args) throws Exception {
    Class.forName("org.postgresql.Driver");
    System.out.println("ready");
    System.out.flush();
    String job = new String(System.in.readAllBytes(), StandardCharsets.UTF_8);
    new Driver(args[0]).play(job);
  }

  void play(String job) throws Exception {
    String label = "";
    List<List<String>> operations = new ArrayList<>();
    for (String line : job.split("\n")) {
      List<String> fields = Arrays.stream(line.split("\t", -1)).map(Driver::unescape).toList();
      switch (fields.get(0)) {
        case "label" -> {
          label = fields.get(1);
          operations.clear();
        }
        case "end" -> say(label, operations);
        case "" -> { }
        default -> operations.add(fields);
      }
    }
    connection.close();
  }

  void say(String label, List<List<String>> operations) throws Exception {
    for (List<String> operation : operations) {
      String why = MISSING.get(operation.get(0));
      if (why != null) {
        System.out.println("na\t" + label + "\t" + why);
        return;
      }
    }
    int sent = 0;
    for (List<String> operation : operations) {
      try {
        sent += run(operation.get(0), operation.subList(1, operation.size()));
      } catch (Exception e) {
        throw new Exception(label + ": " + operation, e);
      }
    }
    System.out.println("sent\t" + label + "\t" + sent);
    System.out.flush();
  }

  int run(String operation, List<String> f) throws Exception {
    switch (operation) {
      case "query" -> query(f.get(0), f.subList(1, f.size()), false);
      case "binary" -> query(f.get(0), f.subList(1, f.size()), true);
      case "prepare" -> {
        PreparedStatement s = connection.prepareStatement(f.get(1));
        s.unwrap(PGStatement.class).setPrepareThreshold(1);
        prepared.put(f.get(0), s);
        return 0;
      }
      case "execute" -> {
        PreparedStatement s = prepared.get(f.get(0));
        bind(s, f.subList(1, f.size()));
        read(s, s.execute());
      }
      case "many" -> {
        return many(f.get(0), f.subList(1, f.size()));
      }
      case "begin" -> {
        connection.setAutoCommit(false);
        return 0;
      }
      case "commit", "rollback" -> {
        if (operation.equals("commit")) {
          connection.commit();
        } else {
          connection.rollback();
        }
        connection.setAutoCommit(true);
        return 0;
      }
      case "fail" -> {
        try {
          query(f.get(0), f.subList(1, f.size()), false);
        } catch (SQLException e) {
          return 1;
        }
        throw new Exception("no error");
      }
      case "copyin" -> copies().copyIn(f.get(0), new StringReader(f.get(1)));
      case "copyout" -> copies().copyOut(f.get(0), new StringWriter());
      case "cursor" -> {
        try (PreparedStatement s = connection.prepareStatement(f.get(1))) {
          s.setFetchSize(Integer.parseInt(f.get(0)));
          bind(s, f.subList(2, f.size()));
          read(s, s.execute());
        }
      }
      case "script" -> {
        try (Statement s = connection.createStatement()) {
          read(s, s.execute(f.get(0)));
        }
        return f.get(0).split("/\\*", -1).length - 1;
      }
      case "notify" -> {
        query(f.get(1), List.of(), false);
        query(f.get(2), List.of(), false);
        PGConnection c = connection.unwrap(PGConnection.class);
        if (c.getNotifications(10_000).length == 0) {
          throw new Exception("no notification");
        }
        return 2;
      }
      default -> throw new Exception("unknown operation " + operation);
    }
    return 1;
  }

  org.postgresql.copy.CopyManager copies() throws SQLException {
    return connection.unwrap(PGConnection.class).getCopyAPI();
  }

  void query(String sql, List<String> args, boolean binary) throws SQLException {
    if (args.isEmpty() && !binary) {
      try (Statement s = connection.createStatement()) {
        read(s, s.execute(sql));
      }
      return;
    }
    try (PreparedStatement s = connection.prepareStatement(sql)) {
      if (binary) {
        s.unwrap(PGStatement.class).setPrepareThreshold(ALWAYS_BINARY);
      }
      bind(s, args);
      read(s, s.execute());
    }
  }

  int many(String sql, List<String> args) throws SQLException {
    try (PreparedStatement s = connection.prepareStatement(sql)) {
      int sets = 0;
      for (int from = 0, at = 0; at <= args.size(); at++) {
        if (at == args.size() || args.get(at).equals(";")) {
          bind(s, args.subList(from, at));
          s.addBatch();
          sets++;
          from = at + 1;
        }
      }
      s.executeBatch();
      return sets;
    }
  }

  static void read(Statement s, boolean rows) throws SQLException {
    while (rows || s.getUpdateCount() != -1) {
      if (rows) {
        while (s.getResultSet().next()) { }
      }
      rows = s.getMoreResults();
    }
  }

  void bind(PreparedStatement s, List<String> args) throws SQLException {
    for (int i = 0; i < args.size(); i++) {
      String text = args.get(i).substring(2);
      switch (args.get(i).charAt(0)) {
        case 'i' -> s.setLong(i + 1, Long.parseLong(text));
        case 'f' -> s.setDouble(i + 1, Double.parseDouble(text));
        case 'b' -> s.setBoolean(i + 1, text.equals("true"));
        case 'u' -> s.setObject(i + 1, UUID.fromString(text));
        case 'j' -> s.setObject(i + 1, text, Types.OTHER);
        case 'n' -> s.setNull(i + 1, Types.VARCHAR);
        case 'x' -> s.setBytes(i + 1, HexFormat.of().parseHex(text));
        case 'T' -> s.setArray(i + 1, connection.createArrayOf("text", text.split(",")));
        case 'I' -> s.setArray(i + 1, connection.createArrayOf("int8", Arrays.stream(text.split(",")).map(Long::valueOf).toArray()));
        default -> s.setString(i + 1, text);
      }
    }
  }

  static String unescape(String field) {
    StringBuilder out = new StringBuilder();
    for (int i = 0; i < field.length(); i++) {
      char c = field.charAt(i);
      if (c == '\\') {
        c = field.charAt(++i);
        c = c == 't' ? '\t' : c == 'n' ? '\n' : c;
      }
      out.append(c);
    }
    return out.toString();
  }
}
