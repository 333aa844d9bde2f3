using Sora.Layers;

namespace Sora.Training.Distributed;

/// <summary>Gradients of several parameters, one after the other in one piece of memory, that are summed by one call.</summary>
internal sealed class GradientBucket : IDisposable
{
    // Large enough that the network's latency does not count, small enough that the first sums begin early: PyTorch's
    // DistributedDataParallel takes 25 MiB for the same reasons (Li et al. 2020, "PyTorch Distributed", section 3.2.3).
    private const long LargestBytes = 25 << 20;

    private readonly Parameter[] _parameters;
    private readonly Tensor _sum;

    private GradientBucket(Parameter[] parameters)
    {
        _parameters = parameters;
        _sum = empty([parameters.Sum(parameter => parameter.NumberOfElements)], float32, CPU).DetachFromDisposeScope();
        Address = EngineMemory.Address(_sum);
    }

    /// <summary>Where the numbers lie.</summary>
    public nint Address { get; }

    /// <summary>How many there are.</summary>
    public long Count => _sum.NumberOfElements;

    /// <summary>Divides parameters into buckets, in their order; one that is larger than a bucket has its own.</summary>
    public static IReadOnlyList<GradientBucket> Of(IEnumerable<Parameter> parameters)
    {
        var buckets = new List<GradientBucket>();
        var together = new List<Parameter>();
        long bytes = 0;
        foreach (Parameter parameter in parameters)
        {
            long size = parameter.NumberOfElements * sizeof(float);
            if (together.Count > 0 && bytes + size > LargestBytes)
            {
                buckets.Add(new([.. together]));
                together.Clear();
                bytes = 0;
            }
            together.Add(parameter);
            bytes += size;
        }
        if (together.Count > 0)
            buckets.Add(new([.. together]));
        return buckets;
    }

    /// <summary>Copies the gradients here.</summary>
    public void Gather() => Each((gradient, here) => here.copy_(gradient));

    /// <summary>Copies what is here, times a factor, to the gradients.</summary>
    public void Scatter(double factor)
    {
        using (no_grad())
            _sum.mul_(factor);
        Each((gradient, here) => gradient.copy_(here));
    }

    /// <summary>Frees the memory.</summary>
    public void Dispose() => _sum.Dispose();

    private void Each(Action<Tensor, Tensor> copy)
    {
        using IDisposable noGradients = no_grad();
        long start = 0;
        foreach (Parameter parameter in _parameters)
        {
            using DisposeScope scope = NewDisposeScope();
            Tensor gradient = parameter.grad ?? throw new InvalidOperationException("A parameter whose gradient is exchanged has none.");
            copy(gradient, _sum.narrow(0, start, gradient.NumberOfElements).view(gradient.shape));
            start += gradient.NumberOfElements;
        }
    }
}
