using Sora.Latents;
using Sora.Training.SpriteWorld;
using Sora.Weights;

namespace Sora.Conditioning;

/// <summary>Chooses how a model takes known frames and a kept region, from its configs.</summary>
internal static class Conditionings
{
    /// <summary>The conditioning of a resolved request.</summary>
    /// <param name="model">The model.</param>
    /// <param name="known">The known frames; may be empty where the model allows it.</param>
    /// <param name="noise">The noise that the video starts from [1, C, t, h, w].</param>
    /// <param name="encoder">Encodes frames; not called where none are known.</param>
    /// <param name="imageVectors">What the model's image encoder made of them [images, tokens, image_dim]; null in models without one.</param>
    /// <param name="kept">The region that is kept; null: none. Disposed with the result.</param>
    /// <param name="carried">Latent frames [1, C, k, h, w] that are known as such; null: there are none.</param>
    /// <param name="carriedAt">The place of the first of them.</param>
    public static IConditioning Create(
        ModelFolder model, ValueList<KnownFrame> known, Tensor noise, FrameEncoder encoder, Tensor? imageVectors, KnownRegion? kept = null,
        Tensor? carried = null, int carriedAt = 0)
    {
        if (kept is not null)
            return Masked(model, known, noise, encoder, imageVectors, kept);
        if (known.Count == 0 && carried is null)
            return new NoConditioning();
        using DisposeScope scope = NewDisposeScope();
        int stride = model.TemporalStride;
        LatentShape shape = ShapeOf(noise);
        if (KnownFrameRules.Of(model) != KnownFrameRule.Any)
            return new ChannelConditioning(ChannelConditioning.ChannelsOf(known, shape, stride, encoder, noise.device), imageVectors);
        KnownLatents latents = known.Count > 0
            ? KnownFrameLatents.Encode(known, shape, stride, encoder, noise.device)
            : new(zeros_like(noise), new bool[shape.T]);
        if (carried is not null)
        {
            using KnownLatents pictures = latents;
            // Of the map that a transformer drew beside them nothing: what it is at time 0 is not what it is beside the noise of the others.
            latents = pictures.With(SemanticMap.OfUnknown(carried, zeros([1], device: carried.device), model.MapChannels), carriedAt);
        }
        return model.Defaults.PerTokenTime ? new TimeConditioning(latents) : new ReplacementConditioning(latents, noise);
    }

    // Known frames stand over the region where the model takes them as latents, and beside it where they have channels.
    private static IConditioning Masked(
        ModelFolder model, ValueList<KnownFrame> known, Tensor noise, FrameEncoder encoder, Tensor? imageVectors, KnownRegion kept)
    {
        if (KnownFrameRules.Of(model) != KnownFrameRule.Any)
            return BesideFrames(model, known, noise, encoder, imageVectors, kept);
        KnownRegion region = known.Count == 0 ? kept : WithFrames(model, known, noise, encoder, kept);
        return model.Defaults.PerTokenTime
            ? new MaskedTimeConditioning(region, model.Transformer.PatchSize, noise)
            : new MaskedReplacementConditioning(region, noise, new NoConditioning());
    }

    private static MaskedReplacementConditioning BesideFrames(
        ModelFolder model, ValueList<KnownFrame> known, Tensor noise, FrameEncoder encoder, Tensor? imageVectors, KnownRegion kept)
    {
        try
        {
            return new(kept, noise, Create(model, known, noise, encoder, imageVectors));
        }
        catch
        {
            kept.Dispose();
            throw;
        }
    }

    private static KnownRegion WithFrames(ModelFolder model, ValueList<KnownFrame> known, Tensor noise, FrameEncoder encoder, KnownRegion kept)
    {
        using (kept)
        using (KnownLatents frames = KnownFrameLatents.Encode(known, ShapeOf(noise), model.TemporalStride, encoder, noise.device))
            return kept.With(frames);
    }

    private static LatentShape ShapeOf(Tensor noise) => new((int)noise.size(1), (int)noise.size(2), (int)noise.size(3), (int)noise.size(4));
}
