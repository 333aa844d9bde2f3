namespace Sora.Sampling;

/// <summary>The data x − sigma·v that a multistep solver predicted at a noise level.</summary>
/// <param name="Data">The prediction.</param>
/// <param name="Lambda">The level, as log((1 − sigma) / sigma); −∞ at pure noise.</param>
internal readonly record struct Prediction(Tensor Data, double Lambda);

/// <summary>The last predictions of a multistep solver, the newest first. They outlive the dispose scopes of the steps.</summary>
internal sealed class PredictionHistory(int capacity) : IDisposable
{
    private readonly List<Prediction> _predictions = [];

    public int Count => _predictions.Count;

    public Prediction this[int age] => _predictions[age];

    /// <summary>Takes the prediction out of its dispose scope, and forgets the oldest one beyond the capacity.</summary>
    public void Add(Tensor data, double lambda)
    {
        _predictions.Insert(0, new(data.DetachFromDisposeScope(), lambda));
        if (_predictions.Count <= capacity)
            return;
        _predictions[^1].Data.Dispose();
        _predictions.RemoveAt(_predictions.Count - 1);
    }

    public void Dispose()
    {
        foreach (Prediction prediction in _predictions)
            prediction.Data.Dispose();
        _predictions.Clear();
    }
}
