namespace Sora.Weights;

/// <summary>The networks that a model consists of.</summary>
public enum NetworkKind
{
    /// <summary>The diffusion transformer.</summary>
    Transformer,

    /// <summary>The video autoencoder.</summary>
    Vae,

    /// <summary>UMT5.</summary>
    TextEncoder,

    /// <summary>CLIP's visual half.</summary>
    ImageEncoder,
}
