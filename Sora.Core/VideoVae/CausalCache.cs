namespace Sora.VideoVae;

/// <summary>
/// What a causal network remembers between the chunks of one video: for each layer that looks back in time its last
/// input frames. A fresh cache means the start of a video. Layers are told apart by name, so that the network may be let go
/// and loaded again between two chunks.
/// </summary>
public sealed class CausalCache : IDisposable
{
    private readonly Dictionary<string, Tensor> _frames = [];

    /// <summary>Whether the next chunk holds the video's first frame.</summary>
    public bool IsStart { get; private set; } = true;

    /// <summary>The frames that a layer kept; null when it kept none.</summary>
    internal Tensor? Get(string layer) => _frames.GetValueOrDefault(layer);

    /// <summary>Keeps a copy of frames for a layer: a view would keep the whole chunk alive.</summary>
    internal void Set(string layer, Tensor frames)
    {
        using IDisposable noGradients = no_grad();
        Tensor kept = frames.clone().DetachFromDisposeScope();
        if (_frames.Remove(layer, out Tensor? old))
            old.Dispose();
        _frames.Add(layer, kept);
    }

    /// <summary>The same state a second time, which goes its own way. It shares the kept frames, which nobody writes to.</summary>
    internal CausalCache Copy()
    {
        var copy = new CausalCache { IsStart = IsStart };
        foreach ((string layer, Tensor frames) in _frames)
            copy._frames.Add(layer, frames.alias().DetachFromDisposeScope());
        return copy;
    }

    /// <summary>Says that a chunk has gone through all layers.</summary>
    internal void EndChunk() => IsStart = false;

    /// <summary>Frees the kept frames.</summary>
    public void Dispose()
    {
        foreach (Tensor frames in _frames.Values)
            frames.Dispose();
        _frames.Clear();
    }
}
