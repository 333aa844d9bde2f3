namespace Sora.Conditioning;

/// <summary>What the videos of a batch are given in frames: how those take part, and the latents to start from.</summary>
internal sealed class GivenLatents : IDisposable
{
    private readonly List<IConditioning> _conditionings = [];
    private readonly List<Tensor?> _sources = [];

    /// <summary>How known frames take part, for each video.</summary>
    public IReadOnlyList<IConditioning> Conditionings => _conditionings;

    /// <summary>The latent of each video's source [1, C, t, h, w], normalised; null: it starts from noise alone.</summary>
    public IReadOnlyList<Tensor?> Sources => _sources;

    /// <summary>Adds the next video; the conditioning is disposed with this.</summary>
    public void Add(IConditioning conditioning, Tensor? source)
    {
        _conditionings.Add(conditioning);
        _sources.Add(source);
    }

    /// <summary>Disposes the conditionings; the sources belong to their dispose scope.</summary>
    public void Dispose()
    {
        foreach (IConditioning conditioning in _conditionings)
            conditioning.Dispose();
        _conditionings.Clear();
    }
}
