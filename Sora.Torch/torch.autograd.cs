using System.Runtime.InteropServices;

namespace TorchSharp;

public static partial class torch
{
    /// <summary>Functions whose backward pass is given with them. Only what TorchSharp has under the same names.</summary>
    public static class autograd
    {
        /// <summary>Keeps what a function's forward pass knows for its backward pass.</summary>
        public class AutogradContext : IDisposable
        {
            private readonly Dictionary<string, object> _data = [];

            /// <summary>Keeps an object that is no tensor.</summary>
            public void save_data(string key, object value) => _data[key] = value;

            /// <summary>What <see cref="save_data"/> kept; null where nothing has this name.</summary>
            public object? get_data(string key) => _data.GetValueOrDefault(key);

            /// <summary>Lets go of what was kept.</summary>
            public void Dispose()
            {
                Dispose(true);
                GC.SuppressFinalize(this);
            }

            /// <summary>Lets go of what was kept.</summary>
            protected virtual void Dispose(bool disposing) => _data.Clear();
        }

        /// <summary>A function of tensors and other objects.</summary>
        public abstract class Function<T> where T : Function<T>, new()
        {
            /// <summary>The one object on which forward and backward are called.</summary>
            protected static T Instance { get; } = new();

            /// <summary>The function's name, for messages.</summary>
            public abstract string Name { get; }
        }

        /// <summary>A function with one tensor as its result.</summary>
        public abstract class SingleTensorFunction<T> : Function<T> where T : SingleTensorFunction<T>, new()
        {
            /// <summary>Computes the function and records it where an argument requires a gradient.</summary>
            public static Tensor apply(params object[] vars)
            {
                T function = Instance;
                return ManagedFunction.Apply(vars, function.forward, function.backward, function.Name);
            }

            /// <summary>The result, computed without recording gradients.</summary>
            public abstract Tensor forward(AutogradContext ctx, params object[] vars);

            /// <summary>A gradient for each argument, null for those that are no tensors.</summary>
            public abstract List<Tensor> backward(AutogradContext ctx, Tensor grad_output);
        }
    }
}

/// <summary>The managed side of native/autograd.cpp.</summary>
internal sealed unsafe class ManagedFunction : IDisposable
{
    private readonly torch.autograd.AutogradContext _context = new();
    private readonly Func<torch.autograd.AutogradContext, torch.Tensor, List<torch.Tensor>> _backward;
    private readonly string _name;
    private readonly bool[] _isTensor;

    private ManagedFunction(object[] arguments, Func<torch.autograd.AutogradContext, torch.Tensor, List<torch.Tensor>> backward, string name) =>
        (_isTensor, _backward, _name) = ([.. arguments.Select(a => a is torch.Tensor)], backward, name);

    public static torch.Tensor Apply(
        object[] arguments, Func<torch.autograd.AutogradContext, object[], torch.Tensor> forward,
        Func<torch.autograd.AutogradContext, torch.Tensor, List<torch.Tensor>> backward, string name)
    {
        var function = new ManagedFunction(arguments, backward, name);
        torch.Tensor output;
        using (torch.no_grad())
            output = forward(function._context, arguments);
        torch.Tensor[] inputs = [.. arguments.OfType<torch.Tensor>()];
        if (!torch.is_grad_enabled() || !inputs.Any(input => input.requires_grad))
            return output;
        long[] handles = [.. inputs.Select(input => (long)input.Handle)];
        nint state = GCHandle.ToIntPtr(GCHandle.Alloc(function));
        nint result;
        fixed (long* first = handles)
            result = Native.sora_managed_function(output.Handle, first, handles.Length, state, &Backward, &Release);
        GC.KeepAlive(inputs);
        if (result == 0)
            throw Native.LastError();
        if (!inputs.Contains(output))
            output.Dispose();
        return new torch.Tensor(result);
    }

    /// <summary>Lets go of what the function keeps for its backward pass.</summary>
    public void Dispose() => _context.Dispose();

    [UnmanagedCallersOnly]
    private static int Backward(nint state, nint gradient, nint* results, int count)
    {
        // On the thread that the engine chose, which may have no scope of its own.
        using DisposeScope scope = torch.NewDisposeScope();
        try
        {
            return ((ManagedFunction)GCHandle.FromIntPtr(state).Target!).Backward(new torch.Tensor(gradient), new Span<nint>(results, count));
        }
#pragma warning disable CA1031 // No exception may pass through native frames; libtorch throws this one's message again.
        catch (Exception exception)
#pragma warning restore CA1031
        {
            results[0] = Marshal.StringToCoTaskMemUTF8(exception.Message);
            return -1;
        }
    }

    [UnmanagedCallersOnly]
    private static void Release(nint state)
    {
        GCHandle handle = GCHandle.FromIntPtr(state);
        ((ManagedFunction)handle.Target!).Dispose();
        handle.Free();
    }

    private int Backward(torch.Tensor gradient, Span<nint> results)
    {
        List<torch.Tensor> gradients = _backward(_context, gradient);
        if (gradients.Count != _isTensor.Length)
            throw new InvalidOperationException($"Function {_name} gave {gradients.Count} gradients for {_isTensor.Length} arguments.");
        int next = 0;
        for (int i = 0; i < gradients.Count; i++)
        {
            if (_isTensor[i])
                results[next++] = gradients[i] is { } given ? given.MoveHandle() : 0;
        }
        return 0;
    }
}
