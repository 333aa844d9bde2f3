namespace Sora.Training;

/// <summary>The exponential moving average of parameters, which generates better than their last values.</summary>
public sealed class ExponentialAverage : IDisposable
{
    private readonly Dictionary<string, (Parameter Parameter, Tensor Average)> _state = [];

    /// <summary>Starts at the parameters' values.</summary>
    public ExponentialAverage(IEnumerable<KeyValuePair<string, Parameter>> parameters)
    {
        using IDisposable noGrad = no_grad();
        foreach ((string name, Parameter parameter) in parameters)
            _state.Add(name, (parameter, parameter.detach().clone().DetachFromDisposeScope()));
    }

    /// <summary>The averages by name.</summary>
    public IEnumerable<(string Name, Tensor Tensor)> State() => _state.Select(s => (s.Key, s.Value.Average));

    /// <summary>Moves the averages towards the parameters.</summary>
    /// <param name="decay">The share that stays, 0 to 1.</param>
    public void Update(double decay)
    {
        using IDisposable noGrad = no_grad();
        using DisposeScope scope = NewDisposeScope();
        foreach ((Parameter parameter, Tensor average) in _state.Values)
            average.mul_(decay).add_(parameter, 1 - decay);
    }

    /// <summary>Exchanges the averages and the parameters, to evaluate with the averages and to go back.</summary>
    public void Swap()
    {
        using IDisposable noGrad = no_grad();
        foreach ((Parameter parameter, Tensor average) in _state.Values)
        {
            using Tensor held = parameter.detach().clone();
            parameter.copy_(average);
            average.copy_(held);
        }
    }

    /// <summary>Frees the averages.</summary>
    public void Dispose()
    {
        foreach ((_, Tensor average) in _state.Values)
            average.Dispose();
    }
}
