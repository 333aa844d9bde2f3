using System.Globalization;
using Sora.Conditioning;
using Sora.Weights;

namespace Sora.Tests.Parity;

/// <summary>A folder with an image encoder, and calls of it.</summary>
internal static class ImageEncoderParity
{
    private const string State = "hidden_states.";

    public static void Run(string folder)
    {
        using IDisposable noGradients = no_grad();
        ClipVisionConfig config = ClipVisionConfig.Load(Path.Combine(folder, "config.json"));
        using var encoder = new ClipVisionEncoder(config, new CheckpointParameters(folder, float32, CPU));
        foreach (string call in FixtureFolder.Calls(folder))
        {
            using DisposeScope scope = NewDisposeScope();
            using var reference = new ReferenceCase(call);
            Tensor pixels = reference.Get("pixel_values");
            // Layer by layer, so that a failure names the first that is wrong.
            foreach (string name in reference.Names.Where(n => n.StartsWith(State, StringComparison.Ordinal)).Order(StringComparer.Ordinal))
            {
                int layers = int.Parse(name[State.Length..], CultureInfo.InvariantCulture);
                reference.Close(name, encoder.HiddenState(pixels, layers), reference.Tolerance());
            }
            reference.Close("penultimate_hidden_state", encoder.Encode(pixels), reference.Tolerance());
        }
    }
}
