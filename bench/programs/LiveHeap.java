import java.util.ArrayList;
import java.util.List;
import java.util.Random;

/** `java LiveHeap MEGABYTES`: holds so much in small objects, says "ready" and waits. */
class LiveHeap {
  private static final int OBJECT_BYTES = 1024;

  public static void main(String[] args) throws InterruptedException {
    var count = Integer.parseInt(args[0]) * (1 << 20) / OBJECT_BYTES;
    var random = new Random(1);
    List<byte[]> live = new ArrayList<>(count);
    for (int i = 0; i < count; i++) {
      var object = new byte[OBJECT_BYTES - 16]; // HotSpot's header of an array
      random.nextBytes(object);
      live.add(object);
    }
    System.gc();
    System.out.println("ready");
    Thread.sleep(Long.MAX_VALUE);
    System.out.println(live.size());
  }
}
