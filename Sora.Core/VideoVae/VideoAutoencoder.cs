using Sora.Layers;
using Sora.Weights;

namespace Sora.VideoVae;

/// <summary>
/// The causal video autoencoder (the network published as AutoencoderKLWan, of the kinds of Wan 2.1 and 2.2). A video of
/// 1 + s·k frames becomes 1 + k latent frames, s being the temporal stride; the first frame stands alone, so that an
/// image is a video of one frame. Both directions run chunk by chunk in memory that does not grow with the length.
/// </summary>
public sealed class VideoAutoencoder : IDisposable
{
    private readonly ParameterSource _parameters;
    private readonly VideoEncoder _encoder;
    private readonly CausalConv3d _quantize;
    private readonly CausalConv3d _dequantize;
    private readonly VideoDecoder _decoder;
    private readonly LinearCode? _code;

    /// <summary>Builds the network from its config; the source gives the parameters and is disposed with the network.</summary>
    public VideoAutoencoder(AutoencoderKLWanConfig config, ParameterSource parameters)
    {
        Config = config;
        _parameters = parameters;
        var scope = new ParameterScope(parameters);
        _encoder = new(scope["encoder"], config);
        _quantize = new(scope["quant_conv"], 2 * config.OwnChannels, 2 * config.OwnChannels, 1, 1);
        _dequantize = new(scope["post_quant_conv"], config.OwnChannels, config.OwnChannels, 1, 1);
        _decoder = new(scope["decoder"], config);
        _code = config.LinearCodeChannels > 0 ? new(scope["linear_code"], config) : null;
    }

    /// <summary>The network's dimensions and the statistics of its latents.</summary>
    public AutoencoderKLWanConfig Config { get; }

    /// <summary>The parameters by their published names.</summary>
    public IReadOnlyDictionary<string, Parameter> Parameters => _parameters.Parameters;

    /// <summary>
    /// Encodes a video [B, 3, T, H, W] in [−1, 1] as the moments of its latents, in chunks of 1, s, s, … frames. Frames
    /// beyond 1 + s·k are left out.
    /// </summary>
    public LatentMoments Encode(Tensor video)
    {
        Shape.Require(video, "B 3 T H W");
        long usable = ((video.size(2) - 1) / Config.TemporalStride * Config.TemporalStride) + 1;
        using var cache = new CausalCache();
        using DisposeScope scope = NewDisposeScope();
        var parts = new List<Tensor>();
        for (long start = 0; start < usable;)
        {
            long length = start == 0 ? 1 : Config.TemporalStride;
            using (DisposeScope chunk = NewDisposeScope())
                parts.Add(chunk.MoveToOuter(EncodeChunk(video.narrow(2, start, length), cache)));
            start += length;
        }
        LatentMoments moments = LatentMoments.Split(cat(parts, 2));
        return new(scope.MoveToOuter(moments.Mean), scope.MoveToOuter(moments.LogVariance));
    }

    /// <summary>Encodes the next chunk of a video: 1 + s·k frames at its start, a multiple of s afterwards.</summary>
    /// <returns>The moments [B, 2·z, t, h, w], float32.</returns>
    public Tensor EncodeChunk(Tensor chunk, CausalCache cache)
    {
        Tensor moments = WithCode(
            FinishEncoding(BeginEncoding(chunk, cache), cache), chunk, cache.IsStart, own => Limit(FinishDecoding(BeginDecoding(own, cache), own, cache)));
        cache.EndChunk();
        return moments;
    }

    /// <summary>What of encoding can be done tile by tile: frames [B, 3, T, H, W] to channels-last [B, t, h, w, C].</summary>
    internal Tensor BeginEncoding(Tensor chunk, CausalCache cache) =>
        _encoder.Begin(Cut(chunk), cache);

    /// <summary>The rest, which sees the whole picture: to the moments [B, 2·z', t, h, w], float32, of the network's own channels.</summary>
    internal Tensor FinishEncoding(Tensor h, CausalCache cache) =>
        _quantize.Forward(_encoder.Finish(h, cache), cache).to(float32).permute(0, 4, 1, 2, 3).contiguous();

    /// <summary>Latents [B, z, t, h, w] with 0 in place of their linear code.</summary>
    internal Tensor WithoutCode(Tensor latents) => _code!.Join(_code.Own(latents));

    /// <summary>Moments [B, 2·z, t, h, w] of those of the network's own channels and of a linear code; the same where the network has none.</summary>
    /// <param name="moments">[B, 2·z', t, h, w].</param>
    /// <param name="frames">What is encoded, [B, 3, T, H, W].</param>
    /// <param name="start">Whether it is a video's first.</param>
    /// <param name="draw">Draws, in [−1, 1], latents [B, z, t, h, w] with a code of 0.</param>
    internal Tensor WithCode(Tensor moments, Tensor frames, bool start, Func<Tensor, Tensor> draw)
    {
        if (_code is null)
            return moments;
        // What is lost is a fact to the code; nothing is learned of it but by what comes out.
        Tensor drawn;
        using (no_grad())
            drawn = draw(_code.OfOwn(moments));
        return _code.Moments(moments, _code.Encode(Cut(frames - drawn), start).permute(0, 4, 1, 2, 3));
    }

    /// <summary>Decodes latents [B, z, t, h, w] to a video [B, 3, 1 + s·(t − 1), H, W] in [−1, 1].</summary>
    public Tensor Decode(Tensor latents)
    {
        using DisposeScope scope = NewDisposeScope();
        return scope.MoveToOuter(cat([.. DecodeChunks(latents)], 2));
    }

    /// <summary>
    /// Decodes latents [B, z, t, h, w] one latent frame at a time: chunks [B, 3, 1 or s, H, W] in [−1, 1], float32.
    /// The caller disposes each chunk.
    /// </summary>
    /// <param name="latents">The latents.</param>
    /// <param name="tiles">The tiles to decode one after the other; null: the whole picture at once.</param>
    public IEnumerable<Tensor> DecodeChunks(Tensor latents, SpatialTiles? tiles = null)
    {
        using var video = new TiledVideo(tiles ?? SpatialTiles.Whole(latents.size(3), latents.size(4)));
        foreach (Tensor chunk in DecodeChunks(latents, video))
            yield return chunk;
    }

    /// <summary>Decodes the next latent frames of a video, one at a time, going on from what it remembers. The caller disposes each chunk.</summary>
    internal IEnumerable<Tensor> DecodeChunks(Tensor latents, TiledVideo video)
    {
        Shape.Require(latents, $"B {Config.ZDim} t h w");
        for (long t = 0; t < latents.size(2); t++)
        {
            Tensor chunk;
            using (DisposeScope scope = NewDisposeScope())
                chunk = scope.MoveToOuter(video.DecodeChunk(this, latents.narrow(2, t, 1)));
            yield return chunk;
        }
    }

    /// <summary>Decodes the next latent frames of a video to [−1, 1], float32.</summary>
    public Tensor DecodeChunk(Tensor latents, CausalCache cache) => Limit(DecodeUnclamped(latents, cache));

    /// <summary>Limits frames to [−1, 1].</summary>
    // Infinity would be clamped to white and pass for a picture: x·0 makes it NaN, which whoever checks the chunk sees.
    internal static Tensor Limit(Tensor video) => video.clamp(-1, 1) + (video * 0);

    /// <summary>Decodes without the last limitation to [−1, 1], through which no gradient would pass.</summary>
    internal Tensor DecodeUnclamped(Tensor latents, CausalCache cache)
    {
        Tensor frames = FinishDecoding(BeginDecoding(latents, cache), latents, cache);
        cache.EndChunk();
        return frames;
    }

    /// <summary>What of decoding sees the whole picture: latents [B, z, t, h, w] to channels-last [B, T', 2h, 2w, C].</summary>
    internal Tensor BeginDecoding(Tensor latents, CausalCache cache) =>
        _decoder.Begin(_dequantize.Forward(ChannelsLast(_code is null ? latents : _code.Own(latents)), cache), cache);

    /// <summary>The rest, which can be done tile by tile: with the latents of the same place to frames [B, 3, T, H, W], float32.</summary>
    internal Tensor FinishDecoding(Tensor h, Tensor latents, CausalCache cache)
    {
        Tensor drawn = _decoder.Finish(h, cache);
        return PixelPatches.Join(_code is null ? drawn.to(float32) : _code.Add(drawn, ChannelsLast(latents), cache.IsStart), Config.PatchSize ?? 1);
    }

    /// <summary>The blocks of a video's frames [B, 3, T, H, W] that a linear code maps, each a row: those of the first frame [N, V] and of the others [N', V'].</summary>
    /// <exception cref="InvalidOperationException">The network has no linear code.</exception>
    internal (Tensor First, Tensor Others) CodeBlocks(Tensor video)
    {
        LinearCode code = _code ?? throw new InvalidOperationException("The network has no linear code.");
        Tensor x = Cut(video), first = code.Blocks(x.narrow(1, 0, 1), 1), others = code.Blocks(x.narrow(1, 1, x.size(1) - 1), code.Frames);
        return (first.flatten(0, 3), others.flatten(0, 3));
    }

    private Tensor Cut(Tensor video) => PixelPatches.Cut(video, Config.PatchSize ?? 1);

    private static Tensor ChannelsLast(Tensor latents) => latents.permute(0, 2, 3, 4, 1).contiguous();

    /// <summary>Frees the parameters.</summary>
    public void Dispose() => _parameters.Dispose();
}
