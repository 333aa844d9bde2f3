using System.Globalization;
using Sora.Latents;

namespace Sora.Training;

/// <summary>
/// The error of the predicted velocity on clips that are not trained on, at fixed noise levels with fixed noise: numbers that
/// are the same for the same weights, so that one step compares with another.
/// </summary>
/// <param name="latents">The clips' normalised latents [clips, C, t, h, w].</param>
/// <param name="captions">A caption for each.</param>
/// <param name="seed">The seed of the noise.</param>
internal sealed class FlowValidation(Tensor latents, IReadOnlyList<string> captions, ulong seed)
{
    private const int ClipsAtOnce = 8;

    private static readonly float[] s_levels = [0.1f, 0.2f, 0.3f, 0.4f, 0.5f, 0.6f, 0.7f, 0.8f, 0.9f];

    /// <summary>Predicts the velocity noise − data.</summary>
    /// <param name="x">Noisy latents [B, C, t, h, w].</param>
    /// <param name="levels">The noise level of each of the B·t latent frames.</param>
    /// <param name="captions">B captions.</param>
    public delegate Tensor Velocity(Tensor x, float[] levels, string[] captions);

    /// <summary>The mean squared error at each level, and over all of them.</summary>
    public IReadOnlyList<(string Name, double Value)> Run(Velocity velocity)
    {
        using IDisposable noGradients = no_grad();
        long clips = latents.size(0), frames = latents.size(2);
        var errors = new double[s_levels.Length];
        for (long first = 0; first < clips; first += ClipsAtOnce)
        {
            using DisposeScope scope = NewDisposeScope();
            long count = Math.Min(ClipsAtOnce, clips - first);
            Tensor data = latents.narrow(0, first, count);                                // B C t h w
            Tensor noise = Noise(data, first);
            string[] texts = [.. captions.Skip((int)first).Take((int)count)];
            for (int i = 0; i < s_levels.Length; i++)
            {
                using DisposeScope level = NewDisposeScope();
                float sigma = s_levels[i];
                Tensor predicted = velocity(data + ((noise - data) * sigma), [.. Enumerable.Repeat(sigma, (int)(count * frames))], texts);
                errors[i] += (predicted - (noise - data)).square().mean().cpu().item<float>() * count / clips;
            }
        }
        return [.. s_levels.Select((sigma, i) => (string.Create(CultureInfo.InvariantCulture, $"loss_sigma_{sigma:0.0}"), errors[i])), ("loss", errors.Average())];
    }

    // Of each clip by itself: it does not depend on how many go together.
    private Tensor Noise(Tensor data, long first)
    {
        long values = data.NumberOfElements / data.size(0);
        var gaussian = new float[data.NumberOfElements];
        for (int i = 0; i < data.size(0); i++)
            new GaussianNoise(seed, string.Create(CultureInfo.InvariantCulture, $"validation {first + i}")).Fill(gaussian.AsSpan((int)(i * values), (int)values));
        return tensor(gaussian, data.shape);
    }
}
