using System.Globalization;
using System.Security.Cryptography;
using Sora.Conditioning;
using Sora.Patches;
using Sora.Sampling;
using Sora.Training.FineTuning;
using Sora.Transformer;
using Sora.Weights;

namespace Sora.Training.Distillation;

/// <summary>
/// A model that the teacher is moved away from. Both were taught the same, so the weaker one errs where the other errs, and further: away from it
/// lies what both were to learn (autoguidance, Karras et al. 2024, arXiv 2406.02507). Unlike guidance without a prompt it is for channels that lead, too.
/// </summary>
internal sealed class WeakerModel : IDisposable
{
    private const float DefaultScale = 1.5f;
    private readonly float _scale;
    private readonly ModelFolder _folder;
    private readonly Device _device;
    private readonly CaptionVectors _captions;
    private readonly DiffusionTransformer _transformer;

    /// <summary>Loads the transformer that <see cref="DistillationConfig.WeakerModel"/> names, and encodes prompts as it knows them.</summary>
    public WeakerModel(DistillationConfig config, IEnumerable<string> prompts, ScalarType computeType, Device device, Action<string> log, CancellationToken cancellationToken)
    {
        (_scale, _folder, _device) = (config.WeakerScale ?? DefaultScale, ModelFolder.Open(config.WeakerModel!), device);
        _captions = CaptionVectors.Encode(_folder, prompts, computeType, device, log, cancellationToken);
        try
        {
            _transformer = new(_folder.Transformer, new CheckpointParameters(_folder.OpenWeights("transformer"), computeType, device));
        }
        catch
        {
            _captions.Dispose();
            throw;
        }
    }

    /// <summary>What tells one weaker model from another: all of it that decides how the teacher's videos look. Null where there is none.</summary>
    public static string? FingerprintOf(DistillationConfig config)
    {
        if (config.WeakerModel is not { } path)
            return null;
        ModelFolder folder = ModelFolder.Open(path);
        return string.Create(CultureInfo.InvariantCulture,
            $"{ModelFingerprint.OfComponent(Path.Combine(path, "transformer"))} {ModelFingerprint.OfComponent(Path.Combine(path, "text_encoder"))} {folder.Defaults.MaxSequenceLength} {Convert.ToHexStringLower(SHA256.HashData(folder.ReadSentencePiece()).AsSpan(0, 8))}");
    }

    /// <summary>How it is in the description of the teacher's videos; empty where there is none.</summary>
    /// <param name="config">The distillation.</param>
    /// <param name="fingerprint"><see cref="FingerprintOf"/> of it, whose hashes take minutes for a large model.</param>
    public static string Describe(DistillationConfig config, string? fingerprint) => fingerprint is null ? ""
        : string.Create(CultureInfo.InvariantCulture, $", {config.WeakerScale ?? DefaultScale} away from {fingerprint}");

    /// <summary>Refuses a model whose samples are others.</summary>
    /// <param name="config">The distillation.</param>
    /// <param name="model">Its model.</param>
    public static void Require(DistillationConfig config, ModelFolder model)
    {
        if (config.WeakerModel is not { } path)
        {
            if (config.WeakerScale is { } scale)
                throw new SoraException(FormattableString.Invariant($"weaker_scale is {scale} and there is no weaker_model; nearest: both or neither."));
            return;
        }
        ModelFolder weaker = ModelFolder.Open(path);
        Distiller.RequireDiffusersLayout(weaker);
        if (weaker.Transformer2 is not null)
            throw new SoraException($"weaker_model {path} has two transformers; nearest: an earlier state of {model.Path}.");
        if (!KindOf(weaker).Equals(KindOf(model)))
            throw new SoraException($"weaker_model {path} has other latents or patches than {model.Path}; nearest: an earlier state of the same training.");

        // The autoencoder's files may be stored in another number format; where its latents lie tells it from others.
        static object KindOf(ModelFolder folder) => (
            folder.Transformer.InChannels, folder.Transformer.OutChannels, folder.Transformer.ImageDim, folder.Transformer.PatchSize, folder.Scheduler.Prediction,
            folder.Vae.LatentsMean, folder.Vae.LatentsStd, folder.Vae.SpatialStride, folder.Vae.TemporalStride);
    }

    /// <summary>Its velocity of videos by their prompts.</summary>
    /// <param name="prompts">A prompt for each video.</param>
    /// <param name="sample">A video's sample [1, C, t, h, w].</param>
    public GuidedVelocity Velocity(IReadOnlyList<string> prompts, Tensor sample)
    {
        PatchGrid grid = Patchify.GridOf(sample, _folder.Transformer.PatchSize);
        GuidedVideo[] videos = [.. prompts.Select(prompt => _captions.Of([prompt], _device)).Select(text => new GuidedVideo(new Guidance(1), text, text, grid, new NoConditioning(), new StraightTime()))];
        return new(_transformer, videos, _device, _folder.Scheduler.Prediction);
    }

    /// <summary>The teacher's velocities, moved away from this one's.</summary>
    /// <param name="teacher">The teacher's, guided and by the prompt alone.</param>
    /// <param name="weaker">This one's, at the same samples.</param>
    public IReadOnlyList<Tensor> Away(IReadOnlyList<(Tensor Guided, Tensor Own)> teacher, IReadOnlyList<Tensor> weaker) =>
        [.. teacher.Zip(weaker, (velocity, other) => velocity.Guided + ((velocity.Own - other) * (_scale - 1)))];

    /// <summary>Frees network and vectors.</summary>
    public void Dispose()
    {
        _transformer.Dispose();
        _captions.Dispose();
    }
}
