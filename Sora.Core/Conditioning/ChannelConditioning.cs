using Sora.Frames;
using Sora.Latents;
using Sora.Patches;
using Sora.Sampling;

namespace Sora.Conditioning;

/// <summary>
/// Known frames stand beside the sample, in channels of their own: a mask that says which frames are known, and the
/// latents of a video that is mid grey where they are not (Wan 2.1 I2V and FLF2V, Wan 2.2 I2V A14B; in diffusers
/// <c>WanImageToVideoPipeline</c>). Models with an image encoder also read its vectors in their cross-attention.
/// </summary>
public sealed class ChannelConditioning : IConditioning
{
    private readonly NoConditioning _plain = new();

    /// <summary>Creates it from tensors.</summary>
    /// <param name="channels">What is appended to the sample's channels, mask first [1, s + C, t, h, w].</param>
    /// <param name="imageVectors">What the image encoder made of the known frames; null in models without one.</param>
    public ChannelConditioning(Tensor channels, Tensor? imageVectors)
    {
        Channels = channels.alias().DetachFromDisposeScope();
        ImageVectors = imageVectors?.alias().DetachFromDisposeScope();
    }

    /// <summary>What is appended to the sample's channels: s of mask, then the latent's.</summary>
    public Tensor Channels { get; }

    /// <inheritdoc/>
    public Tensor? ImageVectors { get; }

    /// <inheritdoc/>
    public Tensor Input(Tensor sample, SamplingStep step) => cat([sample, Channels], 1);

    /// <inheritdoc/>
    public float[] Times(PatchGrid grid, SamplingStep step) => _plain.Times(grid, step);

    /// <inheritdoc/>
    public Tensor Finish(Tensor sample) => sample.alias();

    /// <inheritdoc/>
    public void Dispose()
    {
        Channels.Dispose();
        ImageVectors?.Dispose();
    }

    /// <summary>The channels for known frames.</summary>
    /// <param name="known">The frames.</param>
    /// <param name="shape">The video's shape.</param>
    /// <param name="stride">Frames s that a latent frame stands for.</param>
    /// <param name="encoder">Encodes.</param>
    /// <param name="device">Where they go.</param>
    /// <returns>[1, s + C, t, h, w].</returns>
    internal static Tensor ChannelsOf(IReadOnlyList<KnownFrame> known, LatentShape shape, int stride, FrameEncoder encoder, Device device)
    {
        using DisposeScope scope = NewDisposeScope();
        var video = new VideoFrame?[1 + ((shape.T - 1) * stride)];
        foreach (KnownFrame frame in known)
            video[frame.Index] = frame.Frame;
        VideoFrame any = known[0].Frame;
        Tensor latents = encoder.Encode(video, any.Width, any.Height);                    // 1 C t h w
        Tensor mask = tensor(MaskOf(known, shape.T, stride), [1, stride, shape.T, 1, 1], device: device);
        return scope.MoveToOuter(cat([mask.expand(1, stride, shape.T, shape.H, shape.W), latents], 1));
    }

    // The mask of s·t frames, the first of which stands s times, laid out as s channels of t latent frames.
    private static float[] MaskOf(IReadOnlyList<KnownFrame> known, int latentFrames, int stride)
    {
        var mask = new float[stride * latentFrames];
        foreach (KnownFrame frame in known)
        {
            int place = frame.Index + stride - 1;
            for (int i = frame.Index == 0 ? 0 : place; i <= place; i++)
                mask[(i % stride * latentFrames) + (i / stride)] = 1;
        }
        return mask;
    }
}
