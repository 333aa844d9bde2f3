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

    /// <summary>Builds the network from its config; the source gives the parameters and is disposed with the network.</summary>
    public VideoAutoencoder(AutoencoderKLWanConfig config, ParameterSource parameters)
    {
        Config = config;
        _parameters = parameters;
        var scope = new ParameterScope(parameters);
        _encoder = new(scope["encoder"], config);
        _quantize = new(scope["quant_conv"], 2 * config.ZDim, 2 * config.ZDim, 1, 1);
        _dequantize = new(scope["post_quant_conv"], config.ZDim, config.ZDim, 1, 1);
        _decoder = new(scope["decoder"], config);
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
        Tensor x = PixelPatches.Cut(chunk, Config.PatchSize ?? 1);                        // B T H W C
        Tensor moments = _quantize.Forward(_encoder.Forward(x, cache), cache).to(float32);
        cache.EndChunk();
        return moments.permute(0, 4, 1, 2, 3).contiguous();                               // B 2·z t h w
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
    public IEnumerable<Tensor> DecodeChunks(Tensor latents)
    {
        using var cache = new CausalCache();
        foreach (Tensor chunk in DecodeChunks(latents, cache))
            yield return chunk;
    }

    /// <summary>Decodes the next latent frames of a video, one at a time, going on from what the cache remembers.</summary>
    /// <inheritdoc cref="DecodeChunks(Tensor)"/>
    public IEnumerable<Tensor> DecodeChunks(Tensor latents, CausalCache cache)
    {
        Shape.Require(latents, $"B {Config.ZDim} t h w");
        for (long t = 0; t < latents.size(2); t++)
        {
            Tensor chunk;
            using (DisposeScope scope = NewDisposeScope())
                chunk = scope.MoveToOuter(DecodeChunk(latents.narrow(2, t, 1), cache));
            yield return chunk;
        }
    }

    /// <summary>Decodes the next latent frames of a video to [−1, 1], float32.</summary>
    public Tensor DecodeChunk(Tensor latents, CausalCache cache)
    {
        Tensor video = DecodeUnclamped(latents, cache);
        // Infinity would be clamped to white and pass for a picture: x·0 makes it NaN, which whoever checks the chunk sees.
        return video.clamp(-1, 1) + (video * 0);
    }

    /// <summary>Decodes without the last limitation to [−1, 1], through which no gradient would pass.</summary>
    internal Tensor DecodeUnclamped(Tensor latents, CausalCache cache)
    {
        Tensor z = latents.permute(0, 2, 3, 4, 1).contiguous();                           // B t h w z
        Tensor x = _decoder.Forward(_dequantize.Forward(z, cache), cache).to(float32);
        cache.EndChunk();
        return PixelPatches.Join(x, Config.PatchSize ?? 1);                               // B 3 T H W
    }

    /// <summary>Frees the parameters.</summary>
    public void Dispose() => _parameters.Dispose();
}
