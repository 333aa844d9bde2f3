using Sora.VideoVae;
using Sora.Weights;
using Xunit;

namespace Sora.Tests.Parity;

/// <summary>A folder with a video VAE, and what it makes of videos and latents of several lengths.</summary>
internal static class VideoVaeParity
{
    public static void Run(string folder)
    {
        using IDisposable noGradients = no_grad();
        AutoencoderKLWanConfig config = AutoencoderKLWanConfig.Load(Path.Combine(folder, "config.json"));
        using var vae = new VideoAutoencoder(config, new CheckpointParameters(folder, float32, CPU));
        CheckCalls(vae, FixtureFolder.Calls(folder));
    }

    /// <summary>Asserts that a VAE gives the values of these calls.</summary>
    public static void CheckCalls(VideoAutoencoder vae, IEnumerable<string> calls)
    {
        foreach (string call in calls)
        {
            using DisposeScope scope = NewDisposeScope();
            using var reference = new ReferenceCase(call);
            string[] encoded = Lengths(reference, "frames", "encode.f", ".mean");
            string[] decoded = Lengths(reference, "latent_frames", "decode.t", ".latent");
            Assert.NotEmpty(encoded.Concat(decoded));
            foreach (string length in encoded)
            {
                LatentMoments moments = vae.Encode(reference.Get("video").narrow(2, 0, long.Parse(length, null)));
                reference.Close($"encode.f{length}.mean", moments.Mean, reference.Tolerance());
                reference.Close($"encode.f{length}.logvar", moments.LogVariance, reference.Tolerance());
            }
            foreach (string length in decoded)
                reference.Close($"decode.t{length}.sample", vae.Decode(reference.Get($"decode.t{length}.latent")), reference.Tolerance());
        }
    }

    private static string[] Lengths(ReferenceCase reference, string field, string prefix, string suffix)
    {
        string[] stored = [.. reference.Names.Where(n => n.StartsWith(prefix, StringComparison.Ordinal) && n.EndsWith(suffix, StringComparison.Ordinal))
            .Select(n => n[prefix.Length..^suffix.Length])];
        if (reference.Description.TryGetProperty(field, out var announced))
            Assert.Equal(announced.EnumerateArray().Select(n => n.GetInt32()).Order(), stored.Select(int.Parse).Order());
        return stored;
    }
}
