using Sora.Frames;
using Sora.Latents;

namespace Sora.Conditioning;

/// <summary>
/// Known frames to known latent frames, by the rule of <see cref="KnownFrame"/>: a latent frame of which at least one
/// frame is given is known, and those of its frames that are not given repeat the nearest given one.
/// </summary>
/// <remarks>
/// What lies before a known frame in the video is not known, and the encoder looks far back: the latents of a picture that
/// stands still go on changing for more than eight latent frames. So that a latent frame is like those that the
/// transformer was trained with at its place, the video is encoded from its beginning, each unknown frame filled by the
/// nearest given one.
/// </remarks>
internal static class KnownFrameLatents
{
    /// <summary>Encodes known frames.</summary>
    /// <param name="known">The frames, at least one, in any order.</param>
    /// <param name="shape">The video's shape.</param>
    /// <param name="stride">Frames that a latent frame stands for.</param>
    /// <param name="encoder">Encodes clips.</param>
    /// <param name="device">Where the result goes.</param>
    public static KnownLatents Encode(IReadOnlyList<KnownFrame> known, LatentShape shape, int stride, FrameEncoder encoder, Device device)
    {
        ILookup<int, KnownFrame> byLatent = known.ToLookup(frame => LatentOf(frame.Index, stride));
        bool[] isKnown = [.. Enumerable.Range(0, shape.T).Select(byLatent.Contains)];
        int latents = Array.LastIndexOf(isKnown, true) + 1;
        VideoFrame[] video =
        [
            .. Enumerable.Range(0, 1 + ((latents - 1) * stride)).Select(i =>
            {
                int latent = LatentOf(i, stride);
                return (isKnown[latent] ? byLatent[latent] : known).MinBy(frame => Math.Abs(frame.Index - i))!.Frame;
            }),
        ];
        using DisposeScope scope = NewDisposeScope();
        Tensor beginning = encoder.Encode(video, video[0].Width, video[0].Height);        // 1 C t h w, t up to the last known
        return latents == shape.T
            ? new(beginning, isKnown)
            : new(cat([beginning, zeros([1, shape.C, shape.T - latents, shape.H, shape.W], device: device)], 2), isKnown);
    }

    private static int LatentOf(int frame, int stride) => (frame + stride - 1) / stride;
}
