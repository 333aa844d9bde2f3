using Sora.Layers;
using Sora.Weights;

namespace Sora.VideoVae;

/// <summary>
/// A linear code beside the networks of an autoencoder. What a latent covers, s × s pixels of one frame at a video's start and of several
/// frames after it, is one block; its products with a matrix are added to the means that the encoder gives. The decoder takes the same products of
/// the picture that its network drew, and adds what is missing, mapped back to pixels: so what is in the code is in the picture, and the network
/// has only the rest to draw. A short convolution smooths where blocks meet.
/// <para>
/// The products are those of back-projection (Irani and Peleg 1991; in a network: Haris et al. 2018, "Deep Back-Projection Networks"), of a code in place of a smaller picture. Frames are channels-last
/// [B, T, H, W, C], as <see cref="PixelPatches"/> cuts them.
/// </para>
/// </summary>
internal sealed class LinearCode
{
    private readonly Parameter _encodeFirst;
    private readonly Parameter _encode;
    private readonly Parameter _decodeFirst;
    private readonly Parameter _decode;
    private readonly FrameConv2d _smooth1;
    private readonly FrameConv2d _smooth2;

    /// <summary>Takes <c>encode_first.weight</c> and <c>encode.weight</c> [z, values of a block], <c>decode_first.weight</c> and <c>decode.weight</c> [values, z], and the convolutions <c>smooth.0</c> and <c>smooth.1</c>.</summary>
    public LinearCode(ParameterScope scope, AutoencoderKLWanConfig config)
    {
        Side = config.SpatialStride / (config.PatchSize ?? 1);
        Frames = config.TemporalStride;
        long first = (long)Side * Side * config.InChannels, all = first * Frames;
        _encodeFirst = scope["encode_first"].Float("weight", [config.ZDim, first], Initialization.Zero);
        _encode = scope["encode"].Float("weight", [config.ZDim, all], Initialization.Zero);
        _decodeFirst = scope["decode_first"].Float("weight", [first, config.ZDim], Initialization.Zero);
        _decode = scope["decode"].Float("weight", [all, config.ZDim], Initialization.Zero);
        _smooth1 = new(scope["smooth"][0], 2 * config.OutChannels, config.DecoderWidth, 3, padding: 1);
        _smooth2 = new(scope["smooth"][1], config.DecoderWidth, config.OutChannels, 3, padding: 1, initialization: Initialization.Zero);
    }

    /// <summary>The side of a block in patches of pixels.</summary>
    public int Side { get; }

    /// <summary>The frames of a block after a video's first.</summary>
    public int Frames { get; }

    /// <summary>The code of frames [B, T, H, W, C]: [B, t, h, w, z], float32.</summary>
    /// <param name="x">1 + k·<see cref="Frames"/> frames at a video's start, k·<see cref="Frames"/> afterwards.</param>
    /// <param name="start">Whether the first is a video's first.</param>
    public Tensor Encode(Tensor x, bool start)
    {
        if (!start)
            return nn.functional.linear(Blocks(x, Frames), _encode);
        Tensor first = nn.functional.linear(Blocks(x.narrow(1, 0, 1), 1), _encodeFirst);
        return x.size(1) == 1 ? first : cat([first, nn.functional.linear(Blocks(x.narrow(1, 1, x.size(1) - 1), Frames), _encode)], 1);
    }

    /// <summary>Brings what the network drew [B, T, H, W, C] to the code of latents [B, t, h, w, z]: to the same shape, float32.</summary>
    public Tensor Correct(Tensor drawn, Tensor latents, bool start)
    {
        Tensor y = drawn.to(float32), missing = latents - Encode(y, start);
        Tensor corrected = y + Decode(missing, start);
        Tensor h = _smooth1.Forward(cat([y, corrected], 4));
        return corrected + _smooth2.Forward(h * h.sigmoid()).to(float32);
    }

    /// <summary>Frames [B, T, H, W, C] as blocks of so many frames: [B, t, h, w, frames · side² · C], float32.</summary>
    public Tensor Blocks(Tensor x, int frames)
    {
        long b = x.size(0), t = x.size(1) / frames, h = x.size(2) / Side, w = x.size(3) / Side, c = x.size(4);
        return x.to(float32).reshape(b, t, frames, h, Side, w, Side, c).permute(0, 1, 3, 5, 2, 4, 6, 7).reshape(b, t, h, w, frames * Side * Side * c);
    }

    private Tensor Decode(Tensor z, bool start)
    {
        if (!start)
            return Frame(nn.functional.linear(z, _decode), Frames);
        Tensor first = Frame(nn.functional.linear(z.narrow(1, 0, 1), _decodeFirst), 1);
        return z.size(1) == 1 ? first : cat([first, Frame(nn.functional.linear(z.narrow(1, 1, z.size(1) - 1), _decode), Frames)], 1);
    }

    // The inverse of Blocks.
    private Tensor Frame(Tensor blocks, int frames)
    {
        long b = blocks.size(0), t = blocks.size(1), h = blocks.size(2), w = blocks.size(3), c = blocks.size(4) / (frames * Side * Side);
        return blocks.reshape(b, t, h, w, frames, Side, Side, c).permute(0, 1, 4, 2, 5, 3, 6, 7).reshape(b, t * frames, h * Side, w * Side, c);
    }
}
