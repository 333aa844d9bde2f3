namespace TorchSharp;

/// <summary>
/// Tensors made on this thread while the scope is the innermost one are disposed with it, except those that were moved
/// out or detached.
/// </summary>
public sealed class DisposeScope : IDisposable
{
    [ThreadStatic]
    private static DisposeScope? s_current;

    private readonly DisposeScope? _outer;
    private readonly List<torch.Tensor?> _tensors = [];
    private bool _disposed;

    internal DisposeScope()
    {
        _outer = s_current;
        s_current = this;
    }

    internal static DisposeScope? Current => s_current;

    /// <summary>How many tensors the scope would dispose now.</summary>
    public int DisposablesCount => _tensors.Count(t => t is not null);

    internal DisposeScope? Outer => _outer;

    /// <summary>
    /// Hands a tensor of this scope to the scope around it, or to nobody when there is none. A tensor that is not of this
    /// scope stays where it is.
    /// </summary>
    public torch.Tensor MoveToOuter(torch.Tensor tensor)
    {
        ArgumentNullException.ThrowIfNull(tensor);
        if (tensor.Scope == this)
            Move(tensor, _outer);
        return tensor;
    }

    /// <summary>Takes a tensor out of this scope, when it is of this scope; the caller disposes it.</summary>
    public torch.Tensor Detach(torch.Tensor tensor)
    {
        ArgumentNullException.ThrowIfNull(tensor);
        if (tensor.Scope == this)
            Move(tensor, null);
        return tensor;
    }

    /// <summary>Disposes the scope's tensors and makes the scope around it the innermost one.</summary>
    public void Dispose()
    {
        if (_disposed)
            return;
        _disposed = true;
        if (s_current == this)
            s_current = _outer;
        // A tensor that is disposed removes itself.
        while (_tensors.Count > 0)
            _tensors[^1]!.Dispose();
    }

    internal static void Move(torch.Tensor tensor, DisposeScope? target)
    {
        tensor.Scope?.Remove(tensor);
        target?.Add(tensor);
    }

    internal void Add(torch.Tensor tensor)
    {
        tensor.Scope = this;
        tensor.ScopeIndex = _tensors.Count;
        _tensors.Add(tensor);
    }

    internal void Remove(torch.Tensor tensor)
    {
        _tensors[tensor.ScopeIndex] = null;
        tensor.Scope = null;
        // The list shrinks with its dead end, so that a scope in which many tensors come and go stays short.
        while (_tensors.Count > 0 && _tensors[^1] is null)
            _tensors.RemoveAt(_tensors.Count - 1);
    }
}

public static partial class torch
{
    /// <summary>Opens a dispose scope on this thread.</summary>
    public static DisposeScope NewDisposeScope() => new();

    /// <summary>No gradients are recorded on this thread until the result is disposed.</summary>
    public static IDisposable no_grad() => new GradMode(false);

    /// <summary>Whether gradients are recorded on this thread, until the result is disposed.</summary>
    public static IDisposable set_grad_enabled(bool mode = true) => new GradMode(mode);

    /// <summary>Whether gradients are recorded on this thread.</summary>
    public static bool is_grad_enabled() => Native.sora_grad_enabled() != 0;

    /// <summary>How many threads one operator may use.</summary>
    public static void set_num_threads(int num) => Native.sora_set_num_threads(num);

    /// <summary>How many threads one operator may use.</summary>
    public static int get_num_threads() => Native.sora_get_num_threads();

    private sealed class GradMode : IDisposable
    {
        private readonly int _before = Native.sora_grad_enabled();

        public GradMode(bool enabled) => Native.sora_set_grad_enabled(enabled ? 1 : 0);

        public void Dispose() => Native.sora_set_grad_enabled(_before);
    }
}
