using System.Globalization;
using Sora.Latents;
using Sora.VideoVae;
using Sora.Weights;

namespace Sora.Training;

/// <summary>
/// How much each channel of a latent counts in the pixels. Normalisation gives every channel the same variance, also those that the
/// decoder hardly reads; in a loss over all of them a network learns mostly what nobody sees.
/// </summary>
public static class PixelWeights
{
    // A channel loses this share of itself: enough to rise above rounding, and small beside what the decoder bends.
    private const double Lost = 0.3;

    // Of the mean weight: no channel is left to itself.
    private const double Least = 0.05;
    private const int Clips = 4;
    private const string AutoencoderKey = "autoencoder";

    /// <summary>
    /// The mean squared change of the decoded pixels when one channel after the other loses part of itself, over some clips; scaled
    /// to a mean of 1, and at least a twentieth of that.
    /// </summary>
    /// <param name="vae">The decoder.</param>
    /// <param name="latents">Normalised latents [1, C, t, h, w], of any sizes.</param>
    /// <param name="cancellationToken">Honoured between clips.</param>
    /// <returns>A weight for each of the C channels.</returns>
    public static double[] Measure(VideoAutoencoder vae, IReadOnlyList<Tensor> latents, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(vae);
        ArgumentNullException.ThrowIfNull(latents);
        using IDisposable noGradients = no_grad();
        using var normalizer = new LatentNormalizer(vae.Config, CPU);
        var changes = new double[vae.Config.ZDim];
        foreach (Tensor latent in latents)
        {
            using DisposeScope scope = NewDisposeScope();
            Tensor whole = Decode(latent);
            for (int channel = 0; channel < changes.Length; channel++)
            {
                cancellationToken.ThrowIfCancellationRequested();
                using DisposeScope one = NewDisposeScope();
                Tensor less = latent.clone();
                less.narrow(1, channel, 1).mul_(1 - Lost);
                changes[channel] += (Decode(less) - whole).square().mean().item<float>();
            }
        }
        double mean = changes.Average();
        if (mean == 0)
            throw new SoraException("No channel of the latent changes a pixel: there is nothing to weigh the loss by; nearest: loss_space latents.");
        double[] weights = [.. changes.Select(change => Math.Max(change / mean, Least))];
        double scale = weights.Average();
        return [.. weights.Select(weight => weight / scale)];

        Tensor Decode(Tensor latent) => cat([.. vae.DecodeChunks(normalizer.Restore(latent))], 2).to(float32);   // 1 3 T H W
    }

    /// <summary>Reads the weights that an earlier run of a training measured, or measures and keeps them.</summary>
    /// <param name="runFolder">Where they are kept.</param>
    /// <param name="vaeFolder">The autoencoder.</param>
    /// <param name="examples">Gives so many normalised latents [1, C, t, h, w].</param>
    /// <param name="computeType">The type of the decoder's products.</param>
    /// <param name="log">Told what is done.</param>
    /// <param name="cancellationToken">Honoured between clips.</param>
    internal static double[] Open(
        string runFolder, string vaeFolder, Func<int, IReadOnlyList<Tensor>> examples, ScalarType computeType, Action<string> log, CancellationToken cancellationToken)
    {
        string path = Path.Combine(runFolder, "pixel-weights.safetensors"), autoencoder = ModelFingerprint.OfComponent(vaeFolder);
        AutoencoderKLWanConfig vaeConfig = AutoencoderKLWanConfig.Load(Path.Combine(vaeFolder, "config.json"));
        using DisposeScope scope = NewDisposeScope();
        Tensor weights = zeros([vaeConfig.ZDim], float32);
        if (!File.Exists(path) || TrainingState.Load(path, [("weights", weights)]).GetValueOrDefault(AutoencoderKey) != autoencoder)
        {
            log("measuring how much each channel of the latents counts in the pixels");
            using var vae = new VideoAutoencoder(vaeConfig, new CheckpointParameters(vaeFolder, computeType, CPU));
            weights = tensor(Array.ConvertAll(Measure(vae, examples(Clips), cancellationToken), weight => (float)weight));
            TrainingState.Save(path, [("weights", weights)], new Dictionary<string, string> { [AutoencoderKey] = autoencoder });
        }
        double[] measured = [.. weights.data<float>().ToArray().Select(weight => (double)weight)];
        int quarter = (measured.Length + 3) / 4;
        log(string.Create(CultureInfo.InvariantCulture, $"{quarter} of {measured.Length} channels have {measured.OrderDescending().Take(quarter).Sum() / measured.Sum():P0} of the weight"));
        return measured;
    }
}
