using Sora.Weights;

namespace Sora.Estimation;

/// <summary>
/// What the video decoder computes and holds for one latent frame of h×w: a walk through its levels in the order of
/// <see cref="VideoVae.VideoDecoder"/>.
/// </summary>
internal sealed class DecoderCost
{
    // Of a residual block, in the numbers of its output: the level's input and the outputs of its blocks, the first
    // convolution's result, and for the second the normalised input, the same with the past, windows of three frames and the result.
    private const long HeldInABlock = 12;

    private long _area;
    private long _positions;

    /// <param name="config">The autoencoder.</param>
    /// <param name="h">The latent's height.</param>
    /// <param name="w">The latent's width.</param>
    /// <param name="first">Whether it is a video's first latent frame, which becomes one frame.</param>
    public DecoderCost(AutoencoderKLWanConfig config, long h, long w, bool first)
    {
        int levels = config.DimMult.Count;
        long frames = 1, width = config.DecoderWidth * config.DimMult[^1];
        _area = _positions = h * w;
        Convolve(1, config.ZDim, config.ZDim);
        Convolve(27, config.ZDim, width);
        Block(width, width);
        Convolve(1, width, 4 * width);                       // queries, keys, values and output
        Operations += 4.0 * _positions * _area * width;       // among the points of a frame
        Block(width, width);
        long inputs = width;
        for (int level = 0; level < levels; level++)
        {
            width = config.DecoderWidth * config.DimMult[levels - 1 - level];
            for (int block = 0; block <= config.NumResBlocks; block++)
                Block(block == 0 ? inputs : width, width);
            if (level == levels - 1)
                break;
            if (config.TemperalDownsample[levels - 2 - level] && !first)
            {
                Convolve(3, width, 2 * width);
                Cached += 2 * _area * width;
                frames *= 2;
            }
            _area *= 4;
            _positions = _area * frames;
            inputs = config.IsResidual ? width : width / 2;
            Convolve(9, width, inputs);
            Largest = Math.Max(Largest, _positions * (width + (2 * inputs)));
        }
        Convolve(27, width, config.OutChannels);
        Cached += 2 * _area * (width + config.OutChannels);
    }

    /// <summary>Floating-point operations of the convolutions and the attention.</summary>
    public double Operations { get; private set; }

    /// <summary>The numbers that are kept from one latent frame to the next.</summary>
    public long Cached { get; private set; }

    /// <summary>The numbers that are held at once where there are most.</summary>
    public long Largest { get; private set; }

    private void Block(long inputs, long outputs)
    {
        Convolve(27, inputs, outputs);
        Convolve(27, outputs, outputs);
        if (inputs != outputs)
            Convolve(1, inputs, outputs);
        Cached += 2 * _area * (inputs + outputs);
        Largest = Math.Max(Largest, HeldInABlock * _positions * Math.Max(inputs, outputs));
    }

    private void Convolve(long kernel, long inputs, long outputs) => Operations += 2.0 * _positions * kernel * inputs * outputs;
}
