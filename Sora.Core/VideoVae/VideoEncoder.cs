using Sora.Layers;
using Sora.Weights;

namespace Sora.VideoVae;

/// <summary>Pixels to latent moments, chunk by chunk.</summary>
public sealed class VideoEncoder
{
    private readonly CausalConv3d _in;
    private readonly List<Func<Tensor, CausalCache, Tensor>> _stages = [];
    private readonly int _smallest;
    private readonly MiddleBlock _middle;
    private readonly ChannelNorm _norm;
    private readonly CausalConv3d _out;

    /// <summary>Takes the parameters under <c>encoder</c>.</summary>
    public VideoEncoder(ParameterScope scope, AutoencoderKLWanConfig config)
    {
        long width = config.BaseDim * config.DimMult[0];
        _in = new(scope["conv_in"], config.InChannels, config.BaseDim, 3, 3);
        long inputs = config.BaseDim;
        ParameterScope blocks = scope["down_blocks"];
        int flat = 0;
        for (int level = 0; level < config.DimMult.Count; level++, inputs = width)
        {
            width = config.BaseDim * config.DimMult[level];
            bool last = level == config.DimMult.Count - 1;
            if (last)
                _smallest = _stages.Count;
            bool temporal = !last && config.TemperalDownsample[level];
            if (config.IsResidual)
            {
                AddResidualLevel(blocks[level], inputs, width, config.NumResBlocks, last, temporal);
                continue;
            }
            for (int i = 0; i < config.NumResBlocks; i++)
                _stages.Add(new ResidualBlock(blocks[flat++], i == 0 ? inputs : width, width).Forward);
            if (!last)
                _stages.Add(new Downsample(blocks[flat++], width, temporal).Forward);
        }
        _middle = new(scope["mid_block"], width);
        _norm = new(scope["norm_out"], width);
        _out = new(scope["conv_out"], width, 2 * config.OwnChannels, 3, 3);
    }

    /// <summary>Maps a chunk [B, T, H, W, C] to moments [B, T', H', W', 2·z].</summary>
    public Tensor Forward(Tensor x, CausalCache cache) => Finish(Begin(x, cache), cache);

    /// <summary>All levels but the smallest, in which a latent sees <see cref="SpatialTiles.Reach"/> others around it: to [B, T', H', W', C].</summary>
    internal Tensor Begin(Tensor x, CausalCache cache)
    {
        Tensor h = _in.Forward(x, cache);
        foreach (Func<Tensor, CausalCache, Tensor> stage in _stages.Take(_smallest))
            h = InScope.Replace(h, y => stage(y, cache));
        return h;
    }

    /// <summary>The smallest level, and the part that sees the whole picture: to moments [B, T', H', W', 2·z].</summary>
    internal Tensor Finish(Tensor h, CausalCache cache)
    {
        foreach (Func<Tensor, CausalCache, Tensor> stage in _stages.Skip(_smallest))
            h = InScope.Replace(h, y => stage(y, cache));
        h = InScope.Replace(h, y => _middle.Forward(y, cache));
        return InScope.Replace(h, y => _out.Forward(_norm.ForwardSilu(y), cache));
    }

    private void AddResidualLevel(ParameterScope scope, long inputs, long width, int count, bool last, bool temporal)
    {
        ResidualBlock[] blocks = [.. Enumerable.Range(0, count).Select(i => new ResidualBlock(scope["resnets"][i], i == 0 ? inputs : width, width))];
        Downsample? down = last ? null : new(scope["downsampler"], width, temporal);
        _stages.Add((x, cache) =>
        {
            Tensor h = blocks.Aggregate(x, (y, block) => block.Forward(y, cache));
            h = down is null ? h : down.Forward(h, cache);
            return h + ResamplingShortcut.Average(x, width, temporal ? 2 : 1, last ? 1 : 2);
        });
    }
}
