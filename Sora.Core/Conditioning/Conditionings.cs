using Sora.Latents;
using Sora.Weights;

namespace Sora.Conditioning;

/// <summary>Chooses how a model takes known frames, from its configs.</summary>
internal static class Conditionings
{
    /// <summary>The conditioning of a resolved request.</summary>
    /// <param name="model">The model.</param>
    /// <param name="known">The known frames; may be empty where the model allows it.</param>
    /// <param name="noise">The noise that the video starts from [1, C, t, h, w].</param>
    /// <param name="encoder">Encodes frames; not called where none are known.</param>
    /// <param name="imageVectors">What the model's image encoder made of them [images, tokens, image_dim]; null in models without one.</param>
    public static IConditioning Create(
        ModelFolder model, ValueList<KnownFrame> known, Tensor noise, FrameEncoder encoder, Tensor? imageVectors)
    {
        if (known.Count == 0)
            return new NoConditioning();
        using DisposeScope scope = NewDisposeScope();
        int stride = model.TemporalStride;
        var shape = new LatentShape((int)noise.size(1), (int)noise.size(2), (int)noise.size(3), (int)noise.size(4));
        if (KnownFrameRules.Of(model) != KnownFrameRule.Any)
            return new ChannelConditioning(ChannelConditioning.ChannelsOf(known, shape, stride, encoder, noise.device), imageVectors);
        KnownLatents latents = KnownFrameLatents.Encode(known, shape, stride, encoder, noise.device);
        return model.Defaults.PerTokenTime ? new TimeConditioning(latents) : new ReplacementConditioning(latents, noise);
    }
}
