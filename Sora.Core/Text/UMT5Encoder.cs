using Sora.Layers;
using Sora.Weights;

namespace Sora.Text;

/// <summary>
/// The text encoder (the network published as UMT5EncoderModel, Chung et al. 2023): a T5 encoder in which every layer
/// has its own relative positions. No attention scaling and no biases.
/// </summary>
public sealed class UMT5Encoder : IDisposable
{
    private readonly ParameterSource _parameters;
    private readonly Parameter _embedding;
    private readonly LayerSequence<UMT5Layer> _layers;
    private readonly RmsNorm _norm;

    /// <summary>Builds the network from its config; the source gives the parameters and is disposed with the network.</summary>
    public UMT5Encoder(UMT5Config config, ParameterSource parameters)
    {
        Config = config;
        _parameters = parameters;
        var scope = new ParameterScope(parameters);
        _embedding = scope["shared"].Weight("weight", [config.VocabSize, config.DModel], Initialization.Normal(1));
        _layers = scope["encoder.block"].Layers(config.NumLayers, block => new UMT5Layer(block["layer"], config));
        _norm = new(scope["encoder.final_layer_norm"], config.DModel, config.LayerNormEpsilon);
    }

    /// <summary>The network's dimensions.</summary>
    public UMT5Config Config { get; }

    /// <summary>The parameters by their published names; those of layers only where the layers stay in memory.</summary>
    public IReadOnlyDictionary<string, Parameter> Parameters => _parameters.Parameters;

    /// <summary>Encodes token ids.</summary>
    /// <param name="ids">Ids [B, L], int64.</param>
    /// <param name="mask">1 for tokens, 0 for padding [B, L].</param>
    /// <returns>Vectors [B, L, d_model], float32; those of padding carry no meaning.</returns>
    public Tensor Forward(Tensor ids, Tensor mask)
    {
        Shape.Require(ids, "B L");
        Tensor x = TableRows.Of(_embedding, ids).to(float32);                             // B L D
        var positions = new RelativePositions(mask, Config);
        // The scores of a layer are heads·L² numbers several times over.
        for (int i = 0; i < _layers.Count; i++)
            x = InScope.Replace(x, h => _layers[i].Forward(h, positions));                        // B L D
        return _norm.Forward(x);                                                          // B L D
    }

    /// <summary>Encodes prompts as the transformer wants them: rows of padding are zero.</summary>
    /// <param name="ids">Ids [B, L], int64.</param>
    /// <param name="mask">1 for tokens, 0 for padding [B, L].</param>
    public Tensor Encode(Tensor ids, Tensor mask)
    {
        using DisposeScope scope = NewDisposeScope();
        return scope.MoveToOuter(Forward(ids, mask) * mask.to(float32).unsqueeze(-1));
    }

    /// <summary>Frees the parameters.</summary>
    public void Dispose() => _parameters.Dispose();
}
