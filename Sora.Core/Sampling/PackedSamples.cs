namespace Sora.Sampling;

/// <summary>
/// The samples of several videos as one vector, so that one solver steps them all. Solvers compute number by number, whatever
/// the shape: each video gets the very steps that it would get alone.
/// </summary>
public sealed class PackedSamples
{
    private readonly long[][] _shapes;
    private readonly long[] _lengths;

    /// <summary>Takes the shapes of samples [1, C, t, h, w] each.</summary>
    /// <exception cref="ArgumentException">There are none.</exception>
    public PackedSamples(IReadOnlyList<Tensor> samples)
    {
        ArgumentNullException.ThrowIfNull(samples);
        if (samples.Count == 0)
            throw new ArgumentException("A packed batch needs at least one sample.", nameof(samples));
        _shapes = [.. samples.Select(sample => sample.shape)];
        _lengths = [.. _shapes.Select(shape => shape.Aggregate(1L, (a, b) => a * b))];
    }

    /// <summary>Samples of these shapes, as one vector.</summary>
    /// <exception cref="ArgumentException">They are other ones.</exception>
    public Tensor Join(IReadOnlyList<Tensor> samples)
    {
        ArgumentNullException.ThrowIfNull(samples);
        if (samples.Count != _shapes.Length || samples.Where((sample, i) => !sample.shape.AsSpan().SequenceEqual(_shapes[i])).Any())
            throw new ArgumentException("The samples are not of the shapes of this batch.", nameof(samples));
        using DisposeScope scope = NewDisposeScope();
        return scope.MoveToOuter(cat([.. samples.Select(sample => sample.reshape(-1))], 0));
    }

    /// <summary>The samples in a vector, each in its shape and sharing the vector's memory.</summary>
    public Tensor[] Split(Tensor vector)
    {
        ArgumentNullException.ThrowIfNull(vector);
        var samples = new Tensor[_shapes.Length];
        long start = 0;
        for (int i = 0; i < samples.Length; i++)
        {
            samples[i] = vector.narrow(0, start, _lengths[i]).view(_shapes[i]);
            start += _lengths[i];
        }
        return samples;
    }

    /// <summary>The velocity of the vector, from that of the samples.</summary>
    public Velocity Around(Func<IReadOnlyList<Tensor>, SamplingStep, IReadOnlyList<Tensor>> velocity) =>
        (vector, step) => Join(velocity(Split(vector), step));
}
