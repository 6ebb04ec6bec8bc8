-- Platforms call APIs by any connection of their users with a scope of its own, which opens less than `vault:token`: the
-- token stays here. Whoever could take tokens out can do this too. A version of before knows the scope as any other.
update resources set scopes = replace(scopes, '"vault:token":',
    '"vault:proxy":"Call other people''s APIs through the proxy, by users'' connections","vault:token":')
  where scopes like '%"vault:token":%' and scopes not like '%"vault:proxy"%';
update roles set scopes = replace(scopes, '"vault:token"', '"vault:token","vault:proxy"')
  where scopes like '%"vault:token"%' and scopes not like '%"vault:proxy"%';
update tenants set config_version = config_version + 1;
