using System.Globalization;
using Sora.Layers;
using Sora.Transformer;
using Sora.VideoVae;
using Sora.Weights;

namespace Sora.Training;

/// <summary>Begins a training with the weights of a finished component in place of random ones.</summary>
internal static class WarmStart
{
    private const double SmallVariance = -4;   // the logarithm of one
    private const double Quiet = 0.25;         // the length of the weights by which details are read, beside the others'

    /// <summary>Copies a component's weights into a network of the same config.</summary>
    /// <param name="target">The network's parameters, by name.</param>
    /// <param name="folder">The component's folder with <c>*.safetensors</c>.</param>
    /// <param name="build">Builds the network from the files, which checks names and shapes.</param>
    /// <exception cref="SoraException">The files are missing, damaged, or of another config.</exception>
    public static void Copy(
        IReadOnlyDictionary<string, Parameter> target, string folder,
        Func<ParameterSource, IReadOnlyDictionary<string, Parameter>> build)
    {
        using IDisposable noGradients = no_grad();
        using var source = new CheckpointParameters(folder, float32, CPU, CheckpointParameters.TextEncoderNames);
        foreach ((string name, Parameter parameter) in build(source))
            target[name].copy_(parameter);
    }

    /// <summary>
    /// Copies an autoencoder's weights into one of the same config, but for its latent, which may have more channels. Those that are more come after
    /// the others, begin with random weights and small variances, and are not read by the decoder at first: what is encoded and decoded is what it was.
    /// A linear code (<see cref="AutoencoderKLWanConfig.LinearCodeChannels"/>) may come anew or have more channels, which begin as nothing.
    /// </summary>
    /// <param name="target">The network's parameters, by name.</param>
    /// <param name="config">The network's config.</param>
    /// <param name="folder">The finished autoencoder's folder.</param>
    /// <exception cref="SoraException">The files are missing, damaged, or of another config or of more channels.</exception>
    public static void CopyAutoencoder(IReadOnlyDictionary<string, Parameter> target, AutoencoderKLWanConfig config, string folder)
    {
        AutoencoderKLWanConfig finished = AutoencoderKLWanConfig.Load(Path.Combine(folder, "config.json"));
        int channels = finished.OwnChannels, own = config.OwnChannels, more = own - channels;
        if (more < 0)
            throw new SoraException($"{folder} has z_dim {finished.ZDim}, and z_dim is {config.ZDim}; allowed: as many, or more.");
        if (finished.LinearCodeChannels > 0 && (finished.LinearCodeFirst != config.LinearCodeFirst || finished.LinearCodeChannels > config.LinearCodeChannels))
        {
            throw new SoraException($"{folder} has linear_code_first {finished.LinearCodeFirst} and linear_code_channels {finished.LinearCodeChannels}, and they are {config.LinearCodeFirst} and {config.LinearCodeChannels}; "
                + "allowed: the same first, and as many channels or more.");
        }
        // Those after it would move, and with them all that is told of channels by their places.
        if (finished.LinearCodeChannels > 0 && finished.LinearCodeChannels < config.LinearCodeChannels && finished.LinearCodeFirst + finished.LinearCodeChannels < finished.ZDim)
            throw new SoraException($"{folder} has channels after its linear code, and linear_code_channels is {config.LinearCodeChannels}; allowed: {finished.LinearCodeChannels}, or the autoencoder without those.");
        using IDisposable noGradients = no_grad();
        using DisposeScope scope = NewDisposeScope();
        using var source = new CheckpointParameters(folder, float32, CPU);
        foreach ((string name, Parameter values) in new VideoAutoencoder(config with { ZDim = finished.ZDim, LatentsMean = finished.LatentsMean, LatentsStd = finished.LatentsStd, LinearCodeChannels = finished.LinearCodeChannels, LinearCodeFirst = finished.LinearCodeFirst }, source).Parameters)
        {
            Parameter to = target[name];
            switch (name)
            {
                // Means come before log variances, and neither of the finished ones reads what is new.
                case "quant_conv.weight":
                    Begin(to.narrow(0, 0, channels), values.narrow(0, 0, channels));
                    Begin(to.narrow(0, own, channels), values.narrow(0, channels, channels));
                    break;
                case "quant_conv.bias":
                    to.narrow(0, 0, channels).copy_(values.narrow(0, 0, channels));
                    to.narrow(0, own, channels).copy_(values.narrow(0, channels, channels));
                    to.narrow(0, own + channels, more).fill_(SmallVariance);
                    break;
                case "post_quant_conv.weight" or "decoder.conv_in.weight" or "linear_code.decode.weight" or "linear_code.decode_first.weight":
                    Begin(to.narrow(0, 0, values.size(0)), values);
                    break;
                // Of more outputs the first are the finished ones.
                default:
                    to.narrow(0, 0, values.size(0)).copy_(values);
                    break;
            }
        }
    }

    /// <summary>
    /// Copies a transformer's weights into one of the same config, but for its patches, which may be smaller parts of the finished
    /// one's, and its blocks and channels, which may be more. A smaller patch begins as if it filled the larger one: the embedding adds up what all its
    /// copies would give, and the head gives the mean. The blocks that are more are spread among the others and begin as the identity, with
    /// outputs of zero, so that the deeper network computes what the finished one does. Channels that are more are read with random weights as
    /// large as the others', or, where they come between the finished one's, details between the picture's and a map's, with a quarter of that; nothing is written to them at first. Textures of a map (<see cref="WanTransformerConfig.MapHarmonics"/>) may come anew, and those of turned drawings and samples be more: they begin as nothing.
    /// </summary>
    /// <param name="target">The network's parameters, by name.</param>
    /// <param name="config">The network's config.</param>
    /// <param name="folder">The finished transformer's folder.</param>
    /// <param name="map">How many of the channels, the last ones of either, are a map's that the finished transformer draws.</param>
    /// <exception cref="SoraException">The files are missing, damaged, or of a config with which these patches cannot begin.</exception>
    public static void CopyTransformer(IReadOnlyDictionary<string, Parameter> target, WanTransformerConfig config, string folder, int map = 0)
    {
        WanTransformerConfig finished = WanTransformerConfig.Load(Path.Combine(folder, "config.json"));
        if (finished.PatchSize.Zip(config.PatchSize).Any(sizes => sizes.First % sizes.Second != 0))
        {
            throw new SoraException($"{folder} has patches of {string.Join('x', finished.PatchSize)}, and patch_size is {string.Join('x', config.PatchSize)}; "
                + "allowed: the same, or divisors of it.");
        }
        if (finished.NumLayers > config.NumLayers)
            throw new SoraException($"{folder} has {finished.NumLayers} blocks, and num_layers is {config.NumLayers}; allowed: as many, or more.");
        foreach ((string name, int of, int given) in ((string, int, int)[])[("in_channels", finished.InChannels, config.InChannels), ("out_channels", finished.OutChannels, config.OutChannels)])
        {
            if (of > given)
                throw new SoraException($"{folder} has {name} {of}, and {name} is {given}; allowed: as many, or more.");
        }
        foreach ((string name, int? of, int? given) in ((string, int?, int?)[])[("map_harmonics", finished.MapHarmonics, config.MapHarmonics), ("map_samples", finished.MapSamples, config.MapSamples)])
        {
            if (of is { } kept && kept != given)
                throw new SoraException(FormattableString.Invariant($"{folder} has {name} {kept}, and {name} is {given?.ToString(CultureInfo.InvariantCulture) ?? "null"}; allowed: {kept}."));
        }
        if (finished.MapTurns && !config.MapTurns)
            throw new SoraException($"{folder} has map_turns, and map_turns is false; allowed: true.");
        using IDisposable noGradients = no_grad();
        using DisposeScope scope = NewDisposeScope();
        using var source = new CheckpointParameters(folder, float32, CPU);
        HashSet<string> fresh = [.. target.Keys];
        long[] split = [.. finished.PatchSize.Zip(config.PatchSize).SelectMany(sizes => (long[])[sizes.First / sizes.Second, sizes.Second])];
        long positions = config.PatchSize.Aggregate(1, (a, b) => a * b);
        foreach ((string name, Parameter values) in new DiffusionTransformer(config with { PatchSize = finished.PatchSize, NumLayers = finished.NumLayers, InChannels = finished.InChannels, OutChannels = finished.OutChannels, MapHarmonics = finished.MapHarmonics, MapTurns = finished.MapTurns, MapSamples = finished.MapSamples }, source).Parameters)
        {
            string place = Deeper(name, finished.NumLayers, config.NumLayers);
            fresh.Remove(place);
            Parameter to = target[place];
            switch (name)
            {
                // D C t h w, each axis of a patch as copies of a smaller one.
                case "patch_embedding.weight":
                    Tensor embedding = values.reshape([.. values.shape[..2], .. split]).sum([2, 4, 6]);
                    int picture = finished.InChannels - map, added = config.InChannels - finished.InChannels;
                    to.narrow(1, 0, picture).copy_(embedding.narrow(1, 0, picture));
                    to.narrow(1, picture + added, map).copy_(embedding.narrow(1, picture, map));
                    if (added > 0)
                    {
                        // From 0 they would take hundreds of steps to be heard beside the others; details would drown these.
                        Tensor more = to.narrow(1, picture, added);
                        more.copy_(more * (embedding.square().mean() / more.square().mean()).sqrt() * (map > 0 ? Quiet : 1));
                    }
                    break;
                // t h w C of outputs, with D inputs or none.
                case "proj_out.weight":
                    Begin(to.view(positions, config.OutChannels, -1), values.reshape([.. split, finished.OutChannels, values.size(1)]).mean([0, 2, 4]).reshape(positions, finished.OutChannels, -1), map);
                    break;
                case "proj_out.bias":
                    Begin(to.view(positions, config.OutChannels), values.reshape([.. split, finished.OutChannels]).mean([0, 2, 4]).reshape(positions, finished.OutChannels), map);
                    break;
                case "texture_embedding.weight":
                    Begin(to, values);
                    break;
                default:
                    to.copy_(values);
                    break;
            }
        }
        foreach (string name in fresh.Where(IsOutput))
            target[name].zero_();
    }

    // Channels or features, the second axis, that are more than the finished network's are 0; so many of these are last in either.
    private static void Begin(Tensor target, Tensor finished, int last = 0)
    {
        long first = finished.size(1) - last;
        target.zero_();
        target.narrow(1, 0, first).copy_(finished.narrow(1, 0, first));
        target.narrow(1, target.size(1) - last, last).copy_(finished.narrow(1, first, last));
    }

    // What a block adds to the stream comes out of one of these. Its gates are not zero where the finished network's shared modulation is not.
    private static bool IsOutput(string name) =>
        name.Contains(".attn1.to_out.", StringComparison.Ordinal) || name.Contains(".attn2.to_out.", StringComparison.Ordinal) || name.Contains(".ffn.net.2.", StringComparison.Ordinal);

    // The last of the finished blocks is the last again, and those before it are spread evenly.
    private static string Deeper(string name, int finished, int all)
    {
        string[] parts = name.Split('.');
        if (parts[0] != "blocks")
            return name;
        int block = int.Parse(parts[1], CultureInfo.InvariantCulture);
        return string.Join('.', [parts[0], (((block + 1) * all / finished) - 1).ToString(CultureInfo.InvariantCulture), .. parts[2..]]);
    }
}
