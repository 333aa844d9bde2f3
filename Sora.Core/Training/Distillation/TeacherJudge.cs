using Sora.Frames;
using Sora.Latents;
using Sora.Training.SpriteWorld;
using Sora.VideoVae;
using Sora.Weights;

namespace Sora.Training.Distillation;

/// <summary>Says by the drawn world's own analysis whether latents show what a caption of that world asks for.</summary>
internal sealed class TeacherJudge : IDisposable
{
    private readonly World _world;
    private readonly WorldAnalysis _analysis;
    private readonly VideoAutoencoder _vae;
    private readonly LatentNormalizer _normalizer;

    /// <summary>Loads the model's autoencoder and prepares the world's templates.</summary>
    /// <param name="model">The model that makes the latents.</param>
    /// <param name="world">The world of the captions.</param>
    /// <param name="computeType">The type of the decoder's products.</param>
    /// <param name="device">Where it runs.</param>
    public TeacherJudge(ModelFolder model, World world, ScalarType computeType, Device device)
    {
        (_world, _analysis) = (world, new(world));
        _vae = new(model.Vae, new CheckpointParameters(model.OpenWeights("vae"), computeType, device));
        _normalizer = new(model.Vae, device);
    }

    /// <summary>Whether a video shows the subject, its colour, the scene and the motion of a caption, as far as that names them.</summary>
    /// <param name="latent">The video [1, C, t, h, w], normalised.</param>
    /// <param name="caption">The caption.</param>
    public bool Shows(Tensor latent, string caption)
    {
        using DisposeScope scope = NewDisposeScope();
        Tensor video = _vae.Decode(_normalizer.Restore(latent));   // 1 3 T H W
        // Times make no difference to the analysis.
        byte[] rgb = [.. FrameTensors.ToFrames(video, 0, 1).SelectMany(frame => frame.Rgb.ToArray())];
        return _analysis.Score(rgb, (int)video.size(4), (int)video.size(3), WorldEvaluation.MeaningOf(_world, caption)).All;
    }

    /// <summary>Frees the autoencoder.</summary>
    public void Dispose()
    {
        _vae.Dispose();
        _normalizer.Dispose();
    }
}
