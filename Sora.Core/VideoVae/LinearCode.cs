using Sora.Layers;
using Sora.Weights;

namespace Sora.VideoVae;

/// <summary>
/// A linear code of what the networks of an autoencoder lose, in channels of the latent of its own. What a latent covers, s × s pixels of one frame at a
/// video's start and of several frames after it, is one block; the code is the products of a block's lost pixels with a matrix, and another matrix
/// maps it back to pixels, which are added to what the decoder's network drew. A short convolution smooths where blocks meet. Where the code is 0 the picture is
/// the network's own, all but for that.
/// <para>
/// It is the second layer of a scalable code, as that of pictures in a Laplacian pyramid (Burt and Adelson 1983). Frames are channels-last [B, T, H, W, C], as <see cref="PixelPatches"/> cuts them.
/// </para>
/// </summary>
internal sealed class LinearCode
{
    private const float NoVariance = -30;   // what log variances are clamped to

    private readonly Parameter _encodeFirst;
    private readonly Parameter _encode;
    private readonly Parameter _decodeFirst;
    private readonly Parameter _decode;
    private readonly FrameConv2d _smooth1;
    private readonly FrameConv2d _smooth2;

    /// <summary>
    /// Takes <c>encode_first.weight</c> and <c>encode.weight</c> [channels, values of a block], <c>decode_first.weight</c> and <c>decode.weight</c> [values, channels], and the
    /// convolutions <c>smooth.0</c> and <c>smooth.1</c>.
    /// </summary>
    public LinearCode(ParameterScope scope, AutoencoderKLWanConfig config)
    {
        (First, Channels) = (config.LinearCodeFirst, config.LinearCodeChannels);
        Side = config.SpatialStride / (config.PatchSize ?? 1);
        Frames = config.TemporalStride;
        long first = (long)Side * Side * config.InChannels, all = first * Frames;
        _encodeFirst = scope["encode_first"].Float("weight", [Channels, first], Initialization.Zero);
        _encode = scope["encode"].Float("weight", [Channels, all], Initialization.Zero);
        _decodeFirst = scope["decode_first"].Float("weight", [first, Channels], Initialization.Zero);
        _decode = scope["decode"].Float("weight", [all, Channels], Initialization.Zero);
        _smooth1 = new(scope["smooth"][0], 2 * config.OutChannels, config.DecoderWidth, 3, padding: 1);
        _smooth2 = new(scope["smooth"][1], config.DecoderWidth, config.OutChannels, 3, padding: 1, initialization: Initialization.Zero);
    }

    /// <summary>The latent's channel at which the code begins.</summary>
    public int First { get; }

    /// <summary>How many channels it has.</summary>
    public int Channels { get; }

    /// <summary>The side of a block in patches of pixels.</summary>
    public int Side { get; }

    /// <summary>The frames of a block after a video's first.</summary>
    public int Frames { get; }

    /// <summary>The code of lost pixels [B, T, H, W, C]: [B, t, h, w, channels], float32.</summary>
    /// <param name="lost">1 + k·<see cref="Frames"/> frames at a video's start, k·<see cref="Frames"/> afterwards.</param>
    /// <param name="start">Whether the first is a video's first.</param>
    public Tensor Encode(Tensor lost, bool start)
    {
        if (!start)
            return nn.functional.linear(Blocks(lost, Frames), _encode);
        Tensor first = nn.functional.linear(Blocks(lost.narrow(1, 0, 1), 1), _encodeFirst);
        return lost.size(1) == 1 ? first : cat([first, nn.functional.linear(Blocks(lost.narrow(1, 1, lost.size(1) - 1), Frames), _encode)], 1);
    }

    /// <summary>Adds to what the network drew [B, T, H, W, C] what the code of the latents [B, t, h, w, z] says is missing: to the same shape, float32.</summary>
    public Tensor Add(Tensor drawn, Tensor latents, bool start)
    {
        // What is done with is freed at once: pictures of the full size lie here, which other layers of this size have none of.
        Tensor complete = InScope.Run(latents, x => drawn + Decode(x.narrow(4, First, Channels), start));
        Tensor h = InScope.Run(complete, x => _smooth1.Forward(cat([drawn.to(float32), x], 4)));
        h = InScope.Replace(h, x => x * x.sigmoid());
        h = InScope.Replace(h, _smooth2.Forward);
        return complete + h;
    }

    /// <summary>Of latents [B, z, t, h, w] the channels of the network's own [B, z − channels, t, h, w].</summary>
    public Tensor Own(Tensor latents)
    {
        long after = First + Channels, last = latents.size(1) - after;
        Tensor own = latents.narrow(1, 0, First);
        return last == 0 ? own : cat([own, latents.narrow(1, after, last)], 1);
    }

    /// <summary>What <see cref="Own"/> gives, with a code in its place.</summary>
    /// <param name="own">The other channels [B, z − channels, t, h, w].</param>
    /// <param name="code">[B, channels, t, h, w]; null: 0.</param>
    public Tensor Join(Tensor own, Tensor? code = null)
    {
        long last = own.size(1) - First;
        Tensor first = own.narrow(1, 0, First);
        code ??= Constant(own, 0);
        return last == 0 ? cat([first, code], 1) : cat([first, code, own.narrow(1, First, last)], 1);
    }

    /// <summary>The means of moments [B, 2·(z − channels), t, h, w] of the network's own channels, with a code of 0.</summary>
    public Tensor OfOwn(Tensor moments) => Join(moments.narrow(1, 0, moments.size(1) / 2));

    /// <summary>Moments [B, 2·z, t, h, w] of those of the network's own channels and of a code, which has no variance.</summary>
    public Tensor Moments(Tensor own, Tensor code)
    {
        Tensor[] halves = own.chunk(2, 1);
        return cat([Join(halves[0], code), Join(halves[1], Constant(own, NoVariance))], 1);
    }

    /// <summary>Frames [B, T, H, W, C] as blocks of so many frames: [B, t, h, w, frames · side² · C], float32.</summary>
    public Tensor Blocks(Tensor x, int frames)
    {
        long b = x.size(0), t = x.size(1) / frames, h = x.size(2) / Side, w = x.size(3) / Side, c = x.size(4);
        return x.to(float32).reshape(b, t, frames, h, Side, w, Side, c).permute(0, 1, 3, 5, 2, 4, 6, 7).reshape(b, t, h, w, frames * Side * Side * c);
    }

    private Tensor Decode(Tensor code, bool start)
    {
        if (!start)
            return Frame(nn.functional.linear(code, _decode), Frames);
        Tensor first = Frame(nn.functional.linear(code.narrow(1, 0, 1), _decodeFirst), 1);
        return code.size(1) == 1 ? first : cat([first, Frame(nn.functional.linear(code.narrow(1, 1, code.size(1) - 1), _decode), Frames)], 1);
    }

    private Tensor Constant(Tensor like, float value) => full([like.size(0), Channels, like.size(2), like.size(3), like.size(4)], value, like.dtype, like.device);

    // The inverse of Blocks.
    private Tensor Frame(Tensor blocks, int frames)
    {
        long b = blocks.size(0), t = blocks.size(1), h = blocks.size(2), w = blocks.size(3), c = blocks.size(4) / (frames * Side * Side);
        return blocks.reshape(b, t, h, w, frames, Side, Side, c).permute(0, 1, 4, 2, 5, 3, 6, 7).reshape(b, t * frames, h * Side, w * Side, c);
    }
}
