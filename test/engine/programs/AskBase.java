import java.io.File;
import java.net.InetAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyPairGenerator;
import java.util.TimeZone;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManagerFactory;
import javax.net.ssl.X509TrustManager;

/** Prints what a program finds in the image around it, one "name=value" a line. */
public class AskBase {
  public static void main(String[] args) throws Exception {
    TrustManagerFactory trust = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
    trust.init((java.security.KeyStore) null);
    int authorities = ((X509TrustManager) trust.getTrustManagers()[0]).getAcceptedIssuers().length;
    System.out.println("manyAuthorities=" + (authorities > 50));
    System.out.println("tls=" + SSLContext.getDefault().getProtocol());
    System.out.println("ec=" + KeyPairGenerator.getInstance("EC").generateKeyPair().getPublic().getAlgorithm());
    System.out.println("bundle=" + Files.isReadable(Path.of("/etc/ssl/certs/ca-certificates.crt")));
    System.out.println("zone=" + TimeZone.getDefault().getID());
    System.out.println("berlin=" + Files.isReadable(Path.of("/usr/share/zoneinfo/Europe/Berlin")));
    System.out.println("user=" + System.getProperty("user.name") + " " + System.getProperty("user.home"));
    System.out.println("names=" + System.getProperty("sun.jnu.encoding"));
    System.out.println("temporary=" + File.createTempFile("ärger", "ö").delete());
    System.out.println("written=" + new File("/app/state").createNewFile());
    System.out.println("jar=" + new File("/app/ask.jar").canWrite());
    System.out.println("address=" + InetAddress.getByName("127.0.0.1").getHostAddress());
    System.out.println("info=" + System.getProperty("java.vm.info"));
  }
}
