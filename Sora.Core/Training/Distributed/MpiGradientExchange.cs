using Sora.Layers;

namespace Sora.Training.Distributed;

/// <summary>
/// Exchanges gradients by <c>MPI_Allreduce</c> in float32 through the system's Open MPI. Buckets whose gradients are whole are
/// summed on a thread of their own while the backward pass goes on (Li et al. 2020, "PyTorch Distributed"); those of a
/// device go through the host's memory.
/// </summary>
public sealed class MpiGradientExchange : IGradientExchange, IDisposable
{
    private readonly MpiThread _mpi = new();
    private readonly List<(GradientBucket Bucket, Task Sum)> _running = [];
    private readonly Dictionary<object, IReadOnlyList<GradientBucket>> _buckets = new(ReferenceEqualityComparer.Instance);
    private readonly HashSet<Parameter> _sent = new(ReferenceEqualityComparer.Instance);
    private Parameter[] _rest = [];
    private bool _isLastBackward;

    private MpiGradientExchange()
    {
        (int rank, int count) = (0, 1);
        _mpi.Run(() => (rank, count) = OpenMpi.Initialize());
        (Rank, Count) = (rank, count);
    }

    /// <inheritdoc/>
    public int Rank { get; }

    /// <inheritdoc/>
    public int Count { get; }

    /// <summary>Connects to the processes that <c>mpirun</c> started with this one; null where it did not start this one.</summary>
    /// <exception cref="SoraException">Open MPI cannot be loaded or does not start.</exception>
    public static MpiGradientExchange? Start() => OpenMpi.LaunchedCount is null ? null : new();

    /// <inheritdoc/>
    public void Broadcast(IEnumerable<Tensor> tensors)
    {
        using IDisposable noGradients = no_grad();
        foreach (Tensor tensor in tensors)
        {
            using DisposeScope scope = NewDisposeScope();
            Tensor host = tensor.cpu();
            (nint address, long bytes) = (EngineMemory.Address(host), host.NumberOfElements * host.ElementSize);
            _mpi.Run(() => OpenMpi.Broadcast(address, bytes));
            if (tensor.device_type != DeviceType.CPU)
                tensor.copy_(host);
        }
    }

    /// <inheritdoc/>
    public void BeginLastBackward() => _isLastBackward = true;

    /// <inheritdoc/>
    public void Ready(IReadOnlyList<Parameter> parameters)
    {
        if (!_isLastBackward || _sent.Contains(parameters[0]))
            return;
        if (!_buckets.TryGetValue(parameters, out IReadOnlyList<GradientBucket>? buckets))
            _buckets.Add(parameters, buckets = GradientBucket.Of(parameters));
        Send(buckets);
        _sent.UnionWith(parameters);
    }

    /// <inheritdoc/>
    public void Average(IReadOnlyDictionary<string, Parameter> parameters)
    {
        Send(BucketsOf(WithGradientAnywhere([.. parameters.Values.Where(parameter => !_sent.Contains(parameter))])));
        foreach ((GradientBucket bucket, Task sum) in _running)
        {
            sum.GetAwaiter().GetResult();
            bucket.Scatter(1.0 / Count);
        }
        _running.Clear();
        _sent.Clear();
        _isLastBackward = false;
    }

    /// <inheritdoc/>
    public double Average(double value)
    {
        double[] sum = [value];
        Sum(sum);
        return sum[0] / Count;
    }

    /// <summary>
    /// Ends the connection, when all processes do. Without it <c>mpirun</c> takes the end of this process as a failure and ends
    /// the others: what is wanted after an error.
    /// </summary>
    public void Complete() => _mpi.Run(OpenMpi.Complete);

    /// <summary>Frees the buckets. Does not wait for other processes: one that failed must be able to end.</summary>
    public void Dispose()
    {
        _mpi.Dispose();
        // A sum that still runs, after an error here, writes to its bucket until the process ends.
        if (_running.Count > 0)
            return;
        foreach (GradientBucket bucket in _buckets.Values.SelectMany(list => list))
            bucket.Dispose();
    }

    private void Send(IReadOnlyList<GradientBucket> buckets)
    {
        foreach (GradientBucket bucket in buckets)
        {
            bucket.Gather();
            _running.Add((bucket, _mpi.Post(() => OpenMpi.SumFloats(bucket.Address, bucket.Count))));
        }
    }

    // Batches differ, and with them what has a gradient: a layer along time has none of pictures. What has one anywhere gets one here, of zeros, so
    // that all send the same.
    private Parameter[] WithGradientAnywhere(Parameter[] parameters)
    {
        double[] having = Array.ConvertAll(parameters, parameter => HasGradient(parameter) ? 1.0 : 0);
        Sum(having);
        using IDisposable noGradients = no_grad();
        using DisposeScope scope = NewDisposeScope();
        Parameter[] sent = [.. parameters.Where((_, i) => having[i] > 0)];
        foreach (Parameter parameter in sent.Where(parameter => !HasGradient(parameter)))
            parameter.grad = zeros_like(parameter);
        return sent;
    }

    // Replaces numbers by their sums over all processes.
    private unsafe void Sum(double[] numbers)
    {
        fixed (double* first = numbers)
        {
            var address = (nint)first;
            _mpi.Run(() => OpenMpi.SumDoubles(address, numbers.Length));
        }
    }

    // The buckets of what was not sent during the backward pass; the same from step to step in nearly all trainings.
    private IReadOnlyList<GradientBucket> BucketsOf(Parameter[] rest)
    {
        if (!rest.SequenceEqual(_rest, ReferenceEqualityComparer.Instance))
        {
            if (_buckets.Remove(_rest, out IReadOnlyList<GradientBucket>? old))
                foreach (GradientBucket bucket in old)
                    bucket.Dispose();
            _rest = rest;
        }
        if (!_buckets.TryGetValue(_rest, out IReadOnlyList<GradientBucket>? buckets))
            _buckets.Add(_rest, buckets = GradientBucket.Of(_rest));
        return buckets;
    }

    private static bool HasGradient(Parameter parameter)
    {
        using Tensor? gradient = parameter.grad;
        return gradient is not null;
    }
}
