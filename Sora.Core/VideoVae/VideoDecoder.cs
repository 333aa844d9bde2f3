using Sora.Layers;
using Sora.Weights;

namespace Sora.VideoVae;

/// <summary>Latents to pixels, chunk by chunk.</summary>
public sealed class VideoDecoder
{
    private readonly CausalConv3d _in;
    private readonly MiddleBlock _middle;
    private readonly List<Func<Tensor, CausalCache, Tensor>> _stages = [];
    private readonly ChannelNorm _norm;
    private readonly CausalConv3d _out;

    /// <summary>Takes the parameters under <c>decoder</c>.</summary>
    public VideoDecoder(ParameterScope scope, AutoencoderKLWanConfig config)
    {
        int levels = config.DimMult.Count;
        long width = config.DecoderWidth * config.DimMult[levels - 1];
        _in = new(scope["conv_in"], config.OwnChannels, width, 3, 3);
        _middle = new(scope["mid_block"], width);
        long inputs = width;
        for (int level = 0; level < levels; level++)
        {
            width = config.DecoderWidth * config.DimMult[levels - 1 - level];
            bool last = level == levels - 1;
            bool temporal = !last && config.TemperalDownsample[levels - 2 - level];
            AddLevel(scope["up_blocks"][level], config, inputs, width, last, temporal);
            // The upsampling convolution of the plain VAE halves the channels, that of the residual one keeps them.
            inputs = config.IsResidual ? width : width / 2;
        }
        _norm = new(scope["norm_out"], width);
        _out = new(scope["conv_out"], width, config.OutChannels, 3, 3);
    }

    /// <summary>Maps a chunk of latents [B, t, h, w, z] to pixels [B, T, H, W, C].</summary>
    public Tensor Forward(Tensor z, CausalCache cache) => Finish(Begin(z, cache), cache);

    /// <summary>The part that sees the whole picture, and the first level after it: [B, t, h, w, z] to [B, T', 2h, 2w, C].</summary>
    internal Tensor Begin(Tensor z, CausalCache cache)
    {
        Tensor h = _in.Forward(z, cache);
        h = InScope.Replace(h, y => _middle.Forward(y, cache));
        return InScope.Replace(h, y => _stages[0](y, cache));
    }

    /// <summary>The other levels, in which a point sees <see cref="SpatialTiles.Reach"/> latents around it: to pixels [B, T, H, W, C].</summary>
    internal Tensor Finish(Tensor h, CausalCache cache)
    {
        foreach (Func<Tensor, CausalCache, Tensor> stage in _stages.Skip(1))
            h = InScope.Replace(h, y => stage(y, cache));
        return InScope.Replace(h, y => _out.Forward(_norm.ForwardSilu(y), cache));
    }

    private void AddLevel(ParameterScope scope, AutoencoderKLWanConfig config, long inputs, long width, bool last, bool temporal)
    {
        ResidualBlock[] blocks = [.. Enumerable.Range(0, config.NumResBlocks + 1).Select(i => new ResidualBlock(scope["resnets"][i], i == 0 ? inputs : width, width))];
        Upsample? up = last ? null
            : config.IsResidual ? new(scope["upsampler"], width, width, temporal)
            : new(scope["upsamplers"][0], width, width / 2, temporal);
        _stages.Add((x, cache) =>
        {
            Tensor h = blocks.Aggregate(x, (y, block) => block.Forward(y, cache));
            if (up is null)
                return h;
            h = up.Forward(h, cache);
            return config.IsResidual ? h + ResamplingShortcut.Duplicate(x, width, temporal ? 2 : 1, 2, cache.IsStart) : h;
        });
    }
}
