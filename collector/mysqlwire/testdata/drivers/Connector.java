import java.sql.*;
public class Connector { public static void main(String[] a) throws Exception {
  Connection c = DriverManager.getConnection("jdbc:mariadb://127.0.0.1:"+a[0]+"/shop?user=app&password=secret&"+a[1]);
  PreparedStatement s = c.prepareStatement("SELECT * FROM invoices WHERE tenant_id = ? AND id < ?");
  for (String t : new String[]{"acme","beta"}) { s.setString(1,t); s.setLong(2,10); ResultSet r = s.executeQuery(); while (r.next()) {} }
  s = c.prepareStatement("INSERT INTO invoices (id, tenant_id) VALUES (?, ?)");
  for (int i=0;i<3;i++) { s.setInt(1,200+i); s.setString(2, i==1 ? "beta":"acme"); s.addBatch(); } s.executeBatch();
  c.setAutoCommit(false); c.createStatement().execute("SELECT tenant_id FROM invoices WHERE id=1"); c.rollback(); c.setCatalog("other"); 
  PreparedStatement f = c.prepareStatement("SELECT tenant_id, id FROM shop.invoices"); f.setFetchSize(1); ResultSet r = f.executeQuery(); while (r.next()) {}
  c.close(); } }
