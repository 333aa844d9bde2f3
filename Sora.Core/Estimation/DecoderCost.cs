using Sora.Weights;

namespace Sora.Estimation;

/// <summary>
/// What the video decoder computes and holds for one latent frame of h×w: a walk through its levels in the order of
/// <see cref="VideoVae.VideoDecoder"/>.
/// </summary>
internal sealed class DecoderCost
{
    private readonly long[] _cached = new long[2];
    private readonly long[] _largest = new long[2];
    private long _area;
    private long _positions;
    private long _frames = 1;
    private int _part;

    /// <summary>The result of the level before, which is freed when the running one is done.</summary>
    private long _earlier;

    /// <summary>Of the running level, the numbers a position that its input and the results of its blocks hold.</summary>
    private long _held;

    /// <param name="config">The autoencoder.</param>
    /// <param name="h">The latent's height.</param>
    /// <param name="w">The latent's width.</param>
    /// <param name="first">Whether it is a video's first latent frame, which becomes one frame.</param>
    public DecoderCost(AutoencoderKLWanConfig config, long h, long w, bool first)
    {
        int levels = config.DimMult.Count;
        long width = config.DecoderWidth * config.DimMult[^1];
        _area = _positions = h * w;
        Convolve(1, config.OwnChannels, config.OwnChannels);
        Convolve(27, config.OwnChannels, width);
        _held = width;
        Block(width, width);
        Convolve(1, width, 4 * width);                       // queries, keys, values and output
        Operations += 4.0 * _positions * _area * width;       // among the points of a frame
        _held += 8 * width;                                   // and the norm, attention's result in two orders and the sum
        Block(width, width);
        _earlier = _positions * width;
        long inputs = width;
        for (int level = 0; level < levels; level++)
        {
            width = config.DecoderWidth * config.DimMult[levels - 1 - level];
            _held = 0; // The input is the result of the level before.
            for (int block = 0; block <= config.NumResBlocks; block++)
                Block(block == 0 ? inputs : width, width);
            if (level == levels - 1)
                break;
            bool temporal = config.TemperalDownsample[levels - 2 - level] && !first;
            Upsample(width, config.IsResidual ? width : width / 2, temporal, config.IsResidual);
            inputs = config.IsResidual ? width : width / 2;
            if (level == 0)
                Begun = _earlier;
            _part = 1;
        }
        (_earlier, _held) = (_positions * width, 0);
        Hold(Windows(width));
        Convolve(27, width, config.OutChannels);
        _cached[_part] += 2 * _area * (width + config.OutChannels);
        if (config.LinearCodeChannels > 0)
            LinearCode(config);
    }

    /// <summary>Floating-point operations of the convolutions and the attention.</summary>
    public double Operations { get; private set; }

    /// <summary>The numbers that are kept from one latent frame to the next.</summary>
    public long Cached => _cached.Sum();

    /// <summary>The numbers of the largest kernel, which the library may lay out anew for every use.</summary>
    public long Kernel { get; private set; }

    /// <summary>The numbers that are held at once where there are most.</summary>
    public long Largest => _largest.Max();

    /// <summary>The numbers between the two parts, of which the second can be computed tile by tile.</summary>
    public long Begun { get; private set; }

    /// <summary>
    /// The numbers that are held and kept at most in tiles of one size: the first part is that of this picture, the second that
    /// of a tile.
    /// </summary>
    public long InTiles(DecoderCost tile, int count) =>
        Math.Max(_largest[0], Begun + tile._largest[1]) + _cached[0] + (count * tile._cached[1]);

    // The input is freed by nobody before the level ends; what a convolution needs besides is freed when it is done.
    private void Block(long inputs, long outputs)
    {
        Convolve(27, inputs, outputs);
        Convolve(27, outputs, outputs);
        if (inputs != outputs)
            Convolve(1, inputs, outputs);
        _cached[_part] += 2 * _area * (inputs + outputs);
        Hold(Windows(inputs) + Convolution(3 * inputs, outputs));
        Hold(outputs + Windows(outputs) + Convolution(3 * outputs, outputs));
        _held += outputs;
    }

    // Doubles space and, where asked, time; the shortcut repeats the input in two copies and is added.
    private void Upsample(long width, long outputs, bool temporal, bool shortcut)
    {
        if (temporal)
        {
            Convolve(3, width, 2 * width);
            _cached[_part] += 2 * _area * width;
            _held += Windows(width) - width + (4 * width); // no norm before it; its result, and that frame by frame
        }
        long before = _positions * _held;
        _area *= 4;
        _frames *= temporal ? 2 : 1;
        _positions = _area * _frames;
        Convolve(9, width, outputs);
        Hold(_earlier + before, width + Convolution(width, outputs) + (shortcut ? 3 * width : 0));
        _earlier = _positions * outputs;
    }

    // What is missing in pixels, as blocks and as frames, and the sum, in float32; then the convolutions that smooth.
    private void LinearCode(AutoencoderKLWanConfig config)
    {
        const int pictures = 5, halves = 2;
        long outputs = config.OutChannels, width = config.DecoderWidth;
        Operations += 2.0 * config.LinearCodeChannels * outputs * _positions;
        Hold(0, (halves * pictures * outputs) + Convolution(2 * outputs, width));
        Convolve(9, 2 * outputs, width);
        Convolve(9, width, outputs);
        // Pictures of the full size leave gaps with the allocator that the next frames' layers do not use: measured.
        _largest[_part] += _positions * halves * pictures * outputs;
    }

    // The normalised input of a convolution, the same with two frames of the past, and windows of three frames.
    private long Windows(long width) => width + (width * (_frames + 2) / _frames) + (3 * width);

    // The input and the result in the order of the library's kernel, the result in torch's and in this library's.
    private static long Convolution(long inputs, long outputs) => inputs + (4 * outputs);

    private void Hold(long numbers) => Hold(_earlier, _held + numbers);

    private void Hold(long fixedNumbers, long atEachPosition) => _largest[_part] = Math.Max(_largest[_part], fixedNumbers + (_positions * atEachPosition));

    private void Convolve(long kernel, long inputs, long outputs)
    {
        Operations += 2.0 * _positions * kernel * inputs * outputs;
        Kernel = Math.Max(Kernel, kernel * inputs * outputs);
    }
}
