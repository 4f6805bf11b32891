package shop;

import bookshop.Api;
import com.fasterxml.jackson.core.JsonProcessingException;
import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.Unpooled;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelFutureListener;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.SimpleChannelInboundHandler;
import io.netty.handler.codec.http.DefaultFullHttpResponse;
import io.netty.handler.codec.http.FullHttpRequest;
import io.netty.handler.codec.http.FullHttpResponse;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpResponseStatus;
import io.netty.handler.codec.http.HttpUtil;
import io.netty.handler.codec.http.HttpVersion;

/** One request, one answer. */
final class Exchange extends SimpleChannelInboundHandler<FullHttpRequest> {
    private final Api api;

    Exchange(Api api) {
        this.api = api;
    }

    @Override
    protected void channelRead0(ChannelHandlerContext client, FullHttpRequest request) throws JsonProcessingException {
        String[] target = request.uri().split("\\?", 2);
        Api.Answer answer = api.answer(
                request.method().name(),
                target[0],
                target.length > 1 ? target[1] : null,
                ByteBufUtil.getBytes(request.content()));
        FullHttpResponse response = new DefaultFullHttpResponse(
                HttpVersion.HTTP_1_1, HttpResponseStatus.valueOf(answer.status()), Unpooled.wrappedBuffer(answer.body()));
        if (answer.location() != null) response.headers().set(HttpHeaderNames.LOCATION, answer.location());
        response.headers().set(HttpHeaderNames.CONTENT_TYPE, "application/json");
        HttpUtil.setContentLength(response, answer.body().length);
        boolean kept = HttpUtil.isKeepAlive(request);
        HttpUtil.setKeepAlive(response, kept);
        ChannelFuture sent = client.writeAndFlush(response);
        if (!kept) sent.addListener(ChannelFutureListener.CLOSE);
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext client, Throwable cause) {
        System.err.println("request failed: " + cause);
        client.close();
    }
}
