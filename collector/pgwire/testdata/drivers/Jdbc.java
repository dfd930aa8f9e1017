// pgjdbc: Jdbc.java PORT
import java.io.StringReader;
import java.sql.*;
import java.util.UUID;
import org.postgresql.PGConnection;

public class Jdbc {
	public static void main(String[] args) throws Exception {
		try (Connection c = DriverManager.getConnection("jdbc:postgresql://127.0.0.1:" + args[0] + "/postgres?user=app&sslmode=disable&prepareThreshold=2&preferQueryMode=extended")) {
			try (PreparedStatement s = c.prepareStatement("INSERT INTO bills (id, tenant_id, org) VALUES (?, ?, ?)")) {
				for (int i = 1; i <= 3; i++) {
					s.setLong(1, i);
					s.setString(2, i == 2 ? "beta" : "acme");
					s.setObject(3, UUID.fromString("11223344-5566-7788-99aa-bbccddeeff00"));
					s.addBatch();
				}
				s.executeBatch();
			}
			try (PreparedStatement s = c.prepareStatement("SELECT id, tenant_id, org FROM bills WHERE tenant_id = ?")) {
				for (int i = 0; i < 5; i++) { // from the second on it has a name, and its results are binary
					s.setString(1, i == 2 ? "beta" : "acme");
					try (ResultSet r = s.executeQuery()) {
						while (r.next())
							r.getObject(3);
					}
				}
			}
			c.setAutoCommit(false);
			try (PreparedStatement s = c.prepareStatement("SELECT tenant_id FROM bills ORDER BY id")) {
				s.setFetchSize(1); // a portal that is resumed
				try (ResultSet r = s.executeQuery()) {
					while (r.next())
						r.getString(1);
				}
			}
			c.commit();
			try (Statement s = c.createStatement()) {
				s.execute("SELECT 1; SELECT tenant_id FROM bills WHERE id = 2");
				s.executeQuery("SELECT nothing");
			} catch (SQLException e) {
				c.rollback();
			}
			c.setAutoCommit(true);
			c.unwrap(PGConnection.class).getCopyAPI().copyIn("COPY bills (id, tenant_id) FROM STDIN", new StringReader("4\tbeta\n"));
		}
	}
}
