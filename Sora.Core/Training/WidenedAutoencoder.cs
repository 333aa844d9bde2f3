using Sora.Weights;

namespace Sora.Training;

/// <summary>
/// An autoencoder with channels in its latent that it neither fills nor reads: the encoder gives 0 in them, and the decoder does not look.
/// A transformer may draw there what it needs for itself, and all that handles the model goes on to see one latent.
/// </summary>
internal static class WidenedAutoencoder
{
    private const float NoVariance = -30;   // what log variances are clamped to

    /// <summary>Writes a finished autoencoder with more channels.</summary>
    /// <param name="folder">The autoencoder's folder.</param>
    /// <param name="target">Receives config and weights.</param>
    /// <param name="more">How many channels come after its own.</param>
    /// <exception cref="SoraException">A file cannot be read or written.</exception>
    public static void Write(string folder, string target, int more)
    {
        AutoencoderKLWanConfig config = AutoencoderKLWanConfig.Load(Path.Combine(folder, "config.json"));
        using IDisposable noGradients = no_grad();
        using DisposeScope scope = NewDisposeScope();
        using var store = SafetensorsStore.Open(folder);
        SafetensorsWriter.Write(
            Path.Combine(target, "diffusion_pytorch_model.safetensors"),
            store.Names.Select(name => TrainingState.ContentOf(name, Widened(name, store.Read(name, float32, CPU), config.OwnChannels, more), store.StoredTypeOf(name) == "BF16" ? bfloat16 : float32)));
        (config with
        {
            ZDim = config.ZDim + more,
            LatentsMean = [.. config.LatentsMean, .. Enumerable.Repeat(0.0, more)],
            LatentsStd = [.. config.LatentsStd, .. Enumerable.Repeat(1.0, more)],
        }).Save(Path.Combine(target, "config.json"));
    }

    // Means come before log variances.
    private static Tensor Widened(string name, Tensor values, int channels, int more) => name switch
    {
        "encoder.conv_out.weight" => Grown(values, 0, 2 * channels, 2 * more),
        "encoder.conv_out.bias" => Grown(values, 0, 2 * channels, 2 * more),
        "quant_conv.weight" => Grown(cat([Grown(values.narrow(0, 0, channels), 0, channels, more), Grown(values.narrow(0, channels, channels), 0, channels, more)], 0), 1, 2 * channels, 2 * more),
        "quant_conv.bias" => cat([Grown(values.narrow(0, 0, channels), 0, channels, more), values.narrow(0, channels, channels), full([more], NoVariance, float32)], 0),
        "post_quant_conv.weight" => Grown(Grown(values, 0, channels, more), 1, channels, more),
        "post_quant_conv.bias" => Grown(values, 0, channels, more),
        "decoder.conv_in.weight" => Grown(values, 1, channels, more),
        _ => values,
    };

    private static Tensor Grown(Tensor values, int axis, long length, long more)
    {
        if (values.size(axis) != length)
            throw new SoraException($"A layer next to the latent has {values.size(axis)} channels where the config says {length}.");
        long[] shape = values.shape;
        shape[axis] = more;
        return cat([values, zeros(shape, float32)], axis);
    }
}
