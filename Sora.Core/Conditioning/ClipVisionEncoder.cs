using Sora.Layers;
using Sora.Weights;

namespace Sora.Conditioning;

/// <summary>
/// The image encoder of Wan 2.1's image-to-video models (the network published as CLIPVisionModel, Radford et al. 2021):
/// a vision transformer over square patches with a class token before them.
/// </summary>
public sealed class ClipVisionEncoder : IDisposable
{
    private readonly ParameterSource _parameters;
    private readonly Parameter _classToken;
    private readonly Parameter _positions;
    private readonly Linear _patchEmbedding;
    private readonly LayerNorm _norm;
    private readonly ClipVisionLayer[] _layers;

    /// <summary>Builds the network from its config; the source gives the parameters and is disposed with the network.</summary>
    public ClipVisionEncoder(ClipVisionConfig config, ParameterSource parameters)
    {
        Config = config;
        _parameters = parameters;
        ParameterScope scope = new ParameterScope(parameters)["vision_model"];
        ParameterScope embeddings = scope["embeddings"];
        int width = config.HiddenSize, patch = config.PatchSize;
        _classToken = embeddings.Float("class_embedding", [width], Initialization.Normal(1 / Math.Sqrt(width)));
        _patchEmbedding = Linear.OverPatches(embeddings["patch_embedding"], width, config.NumChannels, [patch, patch], bias: false);
        _positions = embeddings["position_embedding"].Float("weight", [config.TokenCount, width], Initialization.Normal(0.02));
        _norm = new(scope["pre_layrnorm"], width, config.LayerNormEps); // published with this spelling
        _layers = [.. Enumerable.Range(0, config.NumHiddenLayers).Select(i => new ClipVisionLayer(scope["encoder.layers"][i], config))];
        // Neither the last layer nor this norm has a part in what the video models read. They are parameters of the published
        // network all the same, so that a checkpoint written from it is complete.
        _ = new LayerNorm(scope["post_layernorm"], width, config.LayerNormEps);
    }

    /// <summary>The network's dimensions.</summary>
    public ClipVisionConfig Config { get; }

    /// <summary>The parameters by their published names.</summary>
    public IReadOnlyDictionary<string, Parameter> Parameters => _parameters.Parameters;

    /// <summary>
    /// Encodes images as the video models read them: the output of the last layer but one, without a norm after it, the
    /// class token first (<c>hidden_states[-2]</c> in transformers).
    /// </summary>
    /// <param name="pixels">Images [B, 3, image_size, image_size] from <see cref="ClipImageProcessor"/>.</param>
    /// <returns>Vectors [B, (image_size / patch_size)² + 1, hidden_size], float32.</returns>
    /// <exception cref="ArgumentException">The images have another shape.</exception>
    public Tensor Encode(Tensor pixels) => HiddenState(pixels, Config.NumHiddenLayers - 1);

    /// <summary>The vectors [B, L, D] after a number of layers; with 0, what enters the first.</summary>
    internal Tensor HiddenState(Tensor pixels, int layers)
    {
        Shape.Require(pixels, $"B {Config.NumChannels} {Config.ImageSize} {Config.ImageSize}");
        using DisposeScope scope = NewDisposeScope();
        Tensor patches = _patchEmbedding.Forward(Cut(pixels)).to(float32);                   // B N D
        Tensor first = _classToken.expand(pixels.size(0), 1, Config.HiddenSize);             // B 1 D
        Tensor x = _norm.Forward(cat([first, patches], 1) + _positions);                     // B L D
        foreach (ClipVisionLayer layer in _layers.AsSpan(0, layers))
        {
            using DisposeScope inner = NewDisposeScope();
            x = inner.MoveToOuter(layer.Forward(x));                                         // B L D
        }
        return scope.MoveToOuter(x);
    }

    /// <summary>Frees the parameters.</summary>
    public void Dispose() => _parameters.Dispose();

    // [B, 3, H, W] to patches [B, N, 3·p·p], row by row.
    private Tensor Cut(Tensor pixels)
    {
        int patch = Config.PatchSize, side = Config.ImageSize / patch;
        return pixels.reshape(-1, Config.NumChannels, side, patch, side, patch).permute(0, 2, 4, 1, 3, 5).flatten(3).flatten(1, 2);
    }
}
