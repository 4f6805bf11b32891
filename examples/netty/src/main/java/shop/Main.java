package shop;

import bookshop.Api;
import io.netty.bootstrap.ServerBootstrap;
import io.netty.channel.Channel;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelOption;
import io.netty.channel.IoHandlerFactory;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.ServerChannel;
import io.netty.channel.epoll.EpollIoHandler;
import io.netty.channel.epoll.EpollServerSocketChannel;
import io.netty.channel.nio.NioIoHandler;
import io.netty.channel.socket.nio.NioServerSocketChannel;
import io.netty.handler.codec.http.HttpObjectAggregator;
import io.netty.handler.codec.http.HttpServerCodec;

/** `nio` (the JDK's selectors) or `epoll` (Netty's own native transport), the first argument. */
public final class Main {
    private Main() {}

    public static void main(String[] arguments) throws InterruptedException {
        boolean epoll = arguments.length > 0 && arguments[0].equals("epoll");
        IoHandlerFactory handlers = epoll ? EpollIoHandler.newFactory() : NioIoHandler.newFactory();
        Class<? extends ServerChannel> channel = epoll ? EpollServerSocketChannel.class : NioServerSocketChannel.class;
        MultiThreadIoEventLoopGroup loops = new MultiThreadIoEventLoopGroup(2, handlers);
        Runtime.getRuntime().addShutdownHook(new Thread(() -> loops.shutdownGracefully().syncUninterruptibly()));
        Api api = new Api();
        new ServerBootstrap()
                .group(loops)
                .channel(channel)
                .childOption(ChannelOption.TCP_NODELAY, true)
                .childHandler(new ChannelInitializer<>() {
                    @Override
                    protected void initChannel(Channel client) {
                        client.pipeline().addLast(new HttpServerCodec(), new HttpObjectAggregator(1 << 20), new Exchange(api));
                    }
                })
                .bind(8080)
                .sync();
        System.out.println("listening on 8080 with " + channel.getSimpleName());
    }
}
