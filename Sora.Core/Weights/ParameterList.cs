using Sora.Conditioning;
using Sora.Layers;
using Sora.Text;
using Sora.Transformer;
using Sora.VideoVae;

namespace Sora.Weights;

/// <summary>Every parameter of a network without memory: name, shape, how a fresh network fills it.</summary>
internal sealed class ParameterList : ParameterSource
{
    private readonly List<NetworkParameter> _items = [];

    // Weights are asked for in another type than what stays in float32, which tells one from the other.
    private ParameterList() : base(bfloat16, bfloat16)
    {
    }

    /// <summary>The parameters of a network.</summary>
    /// <param name="config">Its config: of a transformer, a VAE, a text or an image encoder.</param>
    public static IReadOnlyList<NetworkParameter> Of(ModelConfig config)
    {
        var source = new ParameterList();
        using IDisposable noGradients = no_grad();
        using DisposeScope scope = NewDisposeScope();
        using IDisposable network = config switch
        {
            WanTransformerConfig transformer => new DiffusionTransformer(transformer, source),
            AutoencoderKLWanConfig vae => new VideoAutoencoder(vae, source),
            UMT5Config text => new UMT5Encoder(text, source),
            ClipVisionConfig images => new ClipVisionEncoder(images, source),
            _ => throw new ArgumentException($"{config.GetType().Name} is the config of no network.", nameof(config)),
        };
        return source._items;
    }

    /// <inheritdoc/>
    protected override Tensor Create(string name, long[] shape, Initialization initialization, ScalarType type)
    {
        _items.Add(new(name, shape, initialization, type == float32));
        return empty(shape, type, META);
    }
}

/// <summary>One parameter of a network.</summary>
/// <param name="Name">Its published name.</param>
/// <param name="Shape">Its sizes.</param>
/// <param name="Initialization">How a fresh network fills it.</param>
/// <param name="StaysFloat">Whether it stays in float32 whatever the weights are in: norms, modulation, embeddings of time.</param>
internal sealed record NetworkParameter(string Name, long[] Shape, Initialization Initialization, bool StaysFloat)
{
    /// <summary>How many numbers it has.</summary>
    public long Count { get; } = Shape.Aggregate(1L, (a, b) => a * b);
}
