using TorchSharp.Modules;

namespace TorchSharp
{
    namespace Modules
    {
        /// <summary>A tensor that a module owns and an optimiser changes.</summary>
        public class Parameter : torch.Tensor
        {
            /// <summary>Takes the data of a tensor, which is as good as disposed afterwards.</summary>
            public Parameter(torch.Tensor data, bool requires_grad = true) : this(Take(data, requires_grad), data)
            {
            }

            private Parameter((nint Handle, DisposeScope? Scope) taken, torch.Tensor data) : base(taken.Handle)
            {
                GC.KeepAlive(data);
                DisposeScope.Move(this, taken.Scope);
            }

            private static (nint Handle, DisposeScope? Scope) Take(torch.Tensor data, bool requires_grad)
            {
                data.requires_grad = requires_grad;
                DisposeScope? scope = data.Scope;
                return (data.MoveHandle(), scope);
            }
        }
    }

    public static partial class torch
    {
        /// <summary>Networks.</summary>
        public static partial class nn
        {
            /// <summary>A tree of named parameters and modules.</summary>
            public class Module : IDisposable
            {
                private readonly string _name;
                private readonly Dictionary<string, Parameter> _parameters = [];
                private readonly Dictionary<string, Tensor> _buffers = [];
                private readonly Dictionary<string, Module> _modules = [];
                private bool _training = true;

                /// <summary>Creates a module; the name serves messages.</summary>
                protected Module(string name) => _name = name;

                /// <summary>Whether the module is in training mode.</summary>
                public virtual bool training => _training;

                /// <summary>The name given at construction.</summary>
                public virtual string GetName() => _name;

                /// <summary>Adds a parameter.</summary>
                /// <exception cref="InvalidOperationException">The name is taken.</exception>
                public virtual void register_parameter(string name, Parameter param)
                {
                    if (!_parameters.TryAdd(name, param))
                        throw new InvalidOperationException($"Parameter {name} is already registered.");
                }

                /// <summary>Adds a tensor that is saved but not trained.</summary>
                /// <exception cref="InvalidOperationException">The name is taken.</exception>
                public virtual void register_buffer(string name, Tensor tensor)
                {
                    if (!_buffers.TryAdd(name, tensor))
                        throw new InvalidOperationException($"Tensor {name} is already registered.");
                }

                /// <summary>Adds a module.</summary>
                /// <exception cref="ArgumentException">The name is empty or contains a dot.</exception>
                /// <exception cref="InvalidOperationException">The name is taken.</exception>
                public virtual void register_module(string name, Module submodule)
                {
                    if (string.IsNullOrEmpty(name) || name.Contains('.'))
                        throw new ArgumentException($"A module's name is not empty and contains no dot; got '{name}'.");
                    if (!_modules.TryAdd(name, submodule))
                        throw new InvalidOperationException($"Sub-module {name} is already registered.");
                }

                /// <summary>TorchSharp fills modules from fields here; this engine registers by call alone.</summary>
                protected virtual void RegisterComponents()
                {
                }

                /// <summary>The direct children.</summary>
                public virtual IEnumerable<(string name, Module module)> named_children() => _modules.Select(m => (m.Key, m.Value));

                /// <summary>The parameters with their full names.</summary>
                public virtual IEnumerable<(string name, Parameter parameter)> named_parameters(bool recurse = true)
                {
                    foreach ((string name, Parameter parameter) in _parameters)
                        yield return (name, parameter);
                    if (!recurse)
                        yield break;
                    foreach ((string name, Module module) in _modules)
                    {
                        foreach ((string inner, Parameter parameter) in module.named_parameters())
                            yield return ($"{name}.{inner}", parameter);
                    }
                }

                /// <summary>The parameters.</summary>
                public virtual IEnumerable<Parameter> parameters(bool recurse = true) => named_parameters(recurse).Select(p => p.parameter);

                /// <summary>The parameters and buffers by their full names.</summary>
                public virtual Dictionary<string, Tensor> state_dict()
                {
                    var state = new Dictionary<string, Tensor>();
                    AddState(state, "");
                    return state;
                }

                /// <summary>Copies tensors into the parameters and buffers of the same names.</summary>
                /// <exception cref="InvalidOperationException">Names are missing or unknown and <paramref name="strict"/> is set.</exception>
                public virtual (IList<string> missing_keys, IList<string> unexpected_keyes) load_state_dict(Dictionary<string, Tensor> source, bool strict = true)
                {
                    Dictionary<string, Tensor> own = state_dict();
                    List<string> missing = [.. own.Keys.Where(k => !source.ContainsKey(k))];
                    List<string> unexpected = [.. source.Keys.Where(k => !own.ContainsKey(k))];
                    if (strict && missing.Count + unexpected.Count > 0)
                        throw new InvalidOperationException($"Missing: {string.Join(", ", missing)}; unexpected: {string.Join(", ", unexpected)}.");
                    using IDisposable noGrad = no_grad();
                    foreach ((string name, Tensor tensor) in own)
                    {
                        if (source.TryGetValue(name, out Tensor? value))
                            tensor.copy_(value);
                    }
                    return (missing, unexpected);
                }

                /// <summary>Sets training mode.</summary>
                public virtual void train(bool train = true)
                {
                    _training = train;
                    foreach (Module module in _modules.Values)
                        module.train(train);
                }

                /// <summary>Leaves training mode.</summary>
                public virtual void eval() => train(false);

                /// <summary>Drops the parameters' gradients.</summary>
                public virtual void zero_grad()
                {
                    foreach (Parameter parameter in parameters())
                        parameter.grad = null;
                }

                /// <summary>Disposes the parameters, buffers and modules.</summary>
                public void Dispose()
                {
                    Dispose(true);
                    GC.SuppressFinalize(this);
                }

                /// <summary>Disposes the parameters, buffers and modules.</summary>
                protected virtual void Dispose(bool disposing)
                {
                    if (!disposing)
                        return;
                    foreach (Parameter parameter in _parameters.Values)
                        parameter.Dispose();
                    foreach (Tensor buffer in _buffers.Values)
                        buffer.Dispose();
                    foreach (Module module in _modules.Values)
                        module.Dispose();
                }

                private void AddState(Dictionary<string, Tensor> state, string prefix)
                {
                    foreach ((string name, Parameter parameter) in _parameters)
                        state.Add(prefix + name, parameter);
                    foreach ((string name, Tensor buffer) in _buffers)
                        state.Add(prefix + name, buffer);
                    foreach ((string name, Module module) in _modules)
                        module.AddState(state, $"{prefix}{name}.");
                }
            }
        }
    }
}
